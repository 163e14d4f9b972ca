/* Two small tables instead of botocore's megabyte: partitions, and the services whose name on the
 * wire, in the settings or in the signature is not simply their own. */
#include "net/endpoint.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "net/variables.h"

static const struct partition {
    const char *name;
    const char *region_prefix; /* "" fits all; the last one */
    const char *dns_suffix;
    const char *route53_host;
    const char *route53_region;
} partitions[] = {
    {"aws-cn", "cn-", "amazonaws.com.cn", "route53.amazonaws.com.cn", "cn-northwest-1"},
    {"aws-us-gov", "us-gov-", "amazonaws.com", "route53.us-gov.amazonaws.com", "us-gov-west-1"},
    {"aws", "", "amazonaws.com", "route53.amazonaws.com", "us-east-1"},
};

/* How settings name a service: its service id in snake case, where that differs from the name. */
static const struct {
    const char *service;
    const char *setting;
} setting_names[] = {
    {"route53", "route_53"},
    {"route53-recovery-cluster", "route53_recovery_cluster"},
    {"elbv2", "elastic_load_balancing_v2"},
};

static const struct partition *partition_of(const char *region)
{
    const struct partition *partition = partitions;
    while (strncmp(region, partition->region_prefix, strlen(partition->region_prefix)) != 0) {
        partition++;
    }
    return partition;
}

const char *endpoint_partition(const char *region)
{
    return partition_of(region)->name;
}

/* "route_53"; the caller frees it. */
static char *setting_name(const char *service)
{
    for (size_t i = 0; i < ARRAY_SIZE(setting_names); i++) {
        if (strcmp(setting_names[i].service, service) == 0) {
            return memory_text(setting_names[i].setting);
        }
    }
    char *name = memory_text(service);
    for (char *byte = name; *byte != '\0'; byte++) {
        *byte = *byte == '-' ? '_' : *byte;
    }
    return name;
}

static char *variable_name(const char *setting)
{
    char *name = memory_format("AWS_ENDPOINT_URL_%s", setting);
    for (char *byte = name; *byte != '\0'; byte++) {
        *byte = (char)toupper((unsigned char)*byte);
    }
    return name;
}

static const char *in_services_section(const struct aws_settings *settings, const char *setting)
{
    const char *section = aws_config_get(&settings->config, settings->profile, "services");
    const json_t *services =
        section != NULL ? json_object_get(settings->config.services, section) : NULL;
    return json_get_text(json_object_get(services, setting), "endpoint_url");
}

static bool is_filled(const char *value)
{
    return value != NULL && *value != '\0';
}

/* The configured endpoint, or NULL. Borrowed. */
static const char *configured(const struct aws_settings *settings, const char *service)
{
    char *const *environment = settings->environment;
    const char *ignore = variable_get(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (ignore == NULL) {
        ignore =
            aws_config_get(&settings->config, settings->profile, "ignore_configured_endpoint_urls");
    }
    if (variable_is_true(ignore)) {
        return NULL;
    }
    CLEANUP(memory_cleanup) char *setting = setting_name(service);
    CLEANUP(memory_cleanup) char *variable = variable_name(setting);
    const char *url = variable_get_filled(environment, variable);
    if (url == NULL) {
        url = variable_get_filled(environment, "AWS_ENDPOINT_URL");
    }
    if (url == NULL) {
        url = in_services_section(settings, setting);
    }
    if (!is_filled(url)) {
        url = aws_config_get(&settings->config, settings->profile, "endpoint_url");
    }
    return is_filled(url) ? url : NULL;
}

int endpoint_find(const struct aws_settings *settings, const char *service, const char *region,
                  struct endpoint *ret_endpoint, struct error *err)
{
    bool is_route53 = strcmp(service, "route53") == 0;
    region = region != NULL ? region : settings->region;
    if (region == NULL && is_route53) {
        region = "us-east-1"; /* a global service: the region only chooses the partition */
    }
    if (region == NULL) {
        error_set(err, ERROR_NOT_READY, "no AWS region for %s", service);
        return error_hint(err, "give `region`, or set AWS_REGION");
    }
    const struct partition *partition = partition_of(region);
    const char *url = configured(settings, service);
    ret_endpoint->signing_name = service;
    ret_endpoint->signing_region = memory_text(is_route53 ? partition->route53_region : region);
    if (url != NULL) {
        ret_endpoint->url = memory_text(url);
    } else if (is_route53) {
        ret_endpoint->url = memory_format("https://%s", partition->route53_host);
    } else {
        ret_endpoint->url =
            memory_format("https://%s.%s.%s", service, region, partition->dns_suffix);
    }
    return 0;
}

void endpoint_release(struct endpoint *endpoint)
{
    free(endpoint->url);
    free(endpoint->signing_region);
    *endpoint = (struct endpoint){0};
}
