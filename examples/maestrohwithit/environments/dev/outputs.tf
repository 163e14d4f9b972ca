output "region" {
  description = "Region of the stack: proves, after a failover, where it stands."
  value       = var.region
}

output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "cluster_name" {
  description = "EKS cluster, for aws eks update-kubeconfig."
  value       = module.eks.cluster_name
}

output "cluster_endpoint" {
  description = "The cluster's API."
  value       = module.eks.cluster_endpoint
}

output "db_identifier" {
  description = "RDS instance."
  value       = module.rds.identifier
}

output "db_address" {
  description = "Host name of the database."
  value       = module.rds.address
}

output "instance_ids" {
  description = "Application servers."
  value       = module.compute.instance_ids
}

output "volume_ids" {
  description = "Data volumes of the application servers."
  value       = module.compute.volume_ids
}

output "alb_dns_name" {
  description = "Host name of the load balancer."
  value       = module.compute.alb_dns_name
}

output "alb_zone_id" {
  description = "Route 53 zone of the load balancer's name."
  value       = module.compute.alb_zone_id
}

output "target_group_arn" {
  description = "Target group of the application."
  value       = module.compute.target_group_arn
}

output "bucket_names" {
  description = "Buckets by purpose."
  value       = module.storage.bucket_names
}

output "backup_vault" {
  description = "AWS Backup vault; null without automated backups."
  value       = one(module.backup[*].vault_name)
}

output "alarm_topic_arn" {
  description = "Topic that every alarm notifies."
  value       = module.monitoring.topic_arn
}

output "alarm_names" {
  description = "The alarms."
  value       = module.monitoring.alarm_names
}

output "regional_names" {
  description = "This region's DNS names, the targets of the public ones; null without a zone."
  value       = one(module.dns[*].names)
}

output "zone_id" {
  description = "The public zone; null without one."
  value       = one(module.dns[*].zone_id)
}
