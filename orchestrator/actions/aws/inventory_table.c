/* The table. A query leaves out what every account has from the start (default VPCs and what is in
 * them, default groups, roles and keys of AWS's own) and what is on its way out (terminated
 * instances, deleted gateways). Internet gateways are listed when they hang on no VPC: one that
 * does is deleted with it or keeps it from being deleted, and then the VPC is in the list. */
#include "aws/inventory_table.h"

#include <string.h>

#include "base/compiler.h"

#define ALL(kind, cli, list, expression, prefix)                                                   \
    {                                                                                              \
        .name = (kind), .service = (cli), .operation = (list), .query = (expression),              \
        .arn = (prefix)                                                                            \
    }
#define SOME(kind, cli, list, name_of_option, its_value, expression, prefix)                       \
    {                                                                                              \
        .name = (kind), .service = (cli), .operation = (list), .option = (name_of_option),         \
        .value = (its_value), .query = (expression), .arn = (prefix)                               \
    }
#define GLOBAL(kind, cli, list, expression, prefix)                                                \
    {                                                                                              \
        .name = (kind), .service = (cli), .operation = (list), .query = (expression),              \
        .arn = (prefix), .global = true                                                            \
    }

const struct inventory_kind inventory_kinds[] = {
    ALL("acm:certificate", "acm", "list-certificates", "CertificateSummaryList[].CertificateArn",
        "acm:certificate/"),
    ALL("autoscaling:group", "autoscaling", "describe-auto-scaling-groups",
        "AutoScalingGroups[].AutoScalingGroupName", "autoscaling:autoScalingGroup:"),
    ALL("backup:plan", "backup", "list-backup-plans", "BackupPlansList[].BackupPlanName",
        "backup:backup-plan:"),
    ALL("backup:vault", "backup", "list-backup-vaults",
        "BackupVaultList[?BackupVaultName!='Default'].BackupVaultName", "backup:backup-vault:"),
    ALL("cloudwatch:alarm", "cloudwatch", "describe-alarms", "MetricAlarms[].AlarmName",
        "cloudwatch:alarm:"),
    ALL("dynamodb:table", "dynamodb", "list-tables", "TableNames[]", "dynamodb:table/"),
    ALL("ec2:address", "ec2", "describe-addresses", "Addresses[].AllocationId", "ec2:elastic-ip/"),
    SOME("ec2:image", "ec2", "describe-images", "owners", "self", "Images[].ImageId", "ec2:image/"),
    ALL("ec2:instance", "ec2", "describe-instances",
        "Reservations[].Instances[] | [?State.Name!='terminated' && State.Name!='shutting-down']"
        ".InstanceId",
        "ec2:instance/"),
    ALL("ec2:internet-gateway", "ec2", "describe-internet-gateways",
        "InternetGateways[?!(Attachments)].InternetGatewayId", "ec2:internet-gateway/"),
    ALL("ec2:key-pair", "ec2", "describe-key-pairs", "KeyPairs[].KeyName", "ec2:key-pair/"),
    ALL("ec2:launch-template", "ec2", "describe-launch-templates",
        "LaunchTemplates[].LaunchTemplateName", "ec2:launch-template/"),
    ALL("ec2:nat-gateway", "ec2", "describe-nat-gateways",
        "NatGateways[?State!='deleted'].NatGatewayId", "ec2:natgateway/"),
    ALL("ec2:network-interface", "ec2", "describe-network-interfaces",
        "NetworkInterfaces[].NetworkInterfaceId", "ec2:network-interface/"),
    ALL("ec2:route-table", "ec2", "describe-route-tables",
        "RouteTables[?!(Associations[?Main==`true`])].RouteTableId", "ec2:route-table/"),
    ALL("ec2:security-group", "ec2", "describe-security-groups",
        "SecurityGroups[?GroupName!='default'].GroupId", "ec2:security-group/"),
    SOME("ec2:snapshot", "ec2", "describe-snapshots", "owner-ids", "self", "Snapshots[].SnapshotId",
         "ec2:snapshot/"),
    ALL("ec2:subnet", "ec2", "describe-subnets", "Subnets[?DefaultForAz!=`true`].SubnetId",
        "ec2:subnet/"),
    ALL("ec2:volume", "ec2", "describe-volumes", "Volumes[].VolumeId", "ec2:volume/"),
    ALL("ec2:vpc", "ec2", "describe-vpcs", "Vpcs[?IsDefault!=`true`].VpcId", "ec2:vpc/"),
    ALL("ec2:vpc-endpoint", "ec2", "describe-vpc-endpoints", "VpcEndpoints[].VpcEndpointId",
        "ec2:vpc-endpoint/"),
    ALL("ecr:repository", "ecr", "describe-repositories", "repositories[].repositoryName",
        "ecr:repository/"),
    ALL("efs:file-system", "efs", "describe-file-systems", "FileSystems[].FileSystemId",
        "elasticfilesystem:file-system/"),
    ALL("eks:cluster", "eks", "list-clusters", "clusters[]", "eks:cluster/"),
    ALL("elb:load-balancer", "elbv2", "describe-load-balancers", "LoadBalancers[].LoadBalancerName",
        "elasticloadbalancing:loadbalancer/"),
    ALL("elb:target-group", "elbv2", "describe-target-groups", "TargetGroups[].TargetGroupName",
        "elasticloadbalancing:targetgroup/"),
    GLOBAL("iam:instance-profile", "iam", "list-instance-profiles",
           "InstanceProfiles[].InstanceProfileName", "iam:instance-profile/"),
    GLOBAL("iam:oidc-provider", "iam", "list-open-id-connect-providers",
           "OpenIDConnectProviderList[].Arn", "iam:oidc-provider/"),
    {.name = "iam:policy",
     .service = "iam",
     .operation = "list-policies",
     .option = "scope",
     .value = "Local",
     .query = "Policies[].PolicyName",
     .arn = "iam:policy/",
     .global = true},
    GLOBAL("iam:role", "iam", "list-roles",
           "Roles[?!starts_with(Path, '/aws-service-role/') && !starts_with(Path, "
           "'/aws-reserved/')].RoleName",
           "iam:role/"),
    GLOBAL("iam:user", "iam", "list-users", "Users[].UserName", "iam:user/"),
    ALL("kms:alias", "kms", "list-aliases",
        "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName", NULL),
    ALL("lambda:function", "lambda", "list-functions", "Functions[].FunctionName",
        "lambda:function:"),
    ALL("logs:group", "logs", "describe-log-groups", "logGroups[].logGroupName", "logs:log-group:"),
    ALL("rds:cluster", "rds", "describe-db-clusters", "DBClusters[].DBClusterIdentifier",
        "rds:cluster:"),
    ALL("rds:instance", "rds", "describe-db-instances", "DBInstances[].DBInstanceIdentifier",
        "rds:db:"),
    ALL("rds:option-group", "rds", "describe-option-groups",
        "OptionGroupsList[?!starts_with(OptionGroupName, 'default:')].OptionGroupName", "rds:og:"),
    ALL("rds:parameter-group", "rds", "describe-db-parameter-groups",
        "DBParameterGroups[?!starts_with(DBParameterGroupName, 'default.')].DBParameterGroupName",
        "rds:pg:"),
    SOME("rds:snapshot", "rds", "describe-db-snapshots", "snapshot-type", "manual",
         "DBSnapshots[].DBSnapshotIdentifier", "rds:snapshot:"),
    ALL("rds:subnet-group", "rds", "describe-db-subnet-groups",
        "DBSubnetGroups[?DBSubnetGroupName!='default'].DBSubnetGroupName", "rds:subgrp:"),
    GLOBAL("route53:health-check", "route53", "list-health-checks", "HealthChecks[].Id",
           "route53:healthcheck/"),
    GLOBAL("route53:zone", "route53", "list-hosted-zones", "HostedZones[].Name",
           "route53:hostedzone/"),
    GLOBAL("s3:bucket", "s3api", "list-buckets", "Buckets[].Name", "s3:"),
    ALL("secretsmanager:secret", "secretsmanager", "list-secrets", "SecretList[].Name",
        "secretsmanager:secret:"),
    ALL("sns:topic", "sns", "list-topics", "Topics[].TopicArn", "sns:"),
    ALL("ssm:parameter", "ssm", "describe-parameters", "Parameters[].Name", "ssm:parameter/"),
    ALL("tagged", "resourcegroupstaggingapi", "get-resources",
        "ResourceTagMappingList[].ResourceARN", NULL),
};
const size_t inventory_kinds_count = ARRAY_SIZE(inventory_kinds);

/* arn:partition:service:region:account:resource */
bool inventory_lists_arn(const char *arn)
{
    const char *parts[6] = {arn};
    for (size_t i = 1; i < ARRAY_SIZE(parts); i++) {
        const char *colon = strchr(parts[i - 1], ':');
        if (colon == NULL) {
            return false;
        }
        parts[i] = colon + 1;
    }
    size_t service_bytes = (size_t)(parts[3] - 1 - parts[2]);
    for (size_t i = 0; i < inventory_kinds_count; i++) {
        const char *known = inventory_kinds[i].arn;
        size_t known_bytes = known != NULL ? strcspn(known, ":") : 0;
        if (known != NULL && known_bytes == service_bytes &&
            strncmp(known, parts[2], service_bytes) == 0 &&
            strncmp(known + known_bytes + 1, parts[5], strlen(known + known_bytes + 1)) == 0) {
            return true;
        }
    }
    return false;
}
