locals {
  name         = "${var.environment}-maestrohwithit"
  cluster_name = "${local.name}-cluster"

  # "true" puts a resource into AWS Backup's daily run.
  backup = var.backup_retention_days > 0

  # Whether the stack may be destroyed with all that is in it.
  disposable = var.disposable || !local.backup
}

module "network" {
  source = "../../modules/network"

  name               = local.name
  cidr               = var.vpc_cidr
  azs                = var.azs
  single_nat_gateway = var.single_nat_gateway
  cluster_name       = local.cluster_name
}

module "eks" {
  source = "../../modules/eks"

  cluster_name       = local.cluster_name
  region             = var.region
  kubernetes_version = var.kubernetes_version
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [module.network.app_security_group_id]
  instance_types     = var.node_instance_types
  node_count         = var.node_count
  key_name           = module.compute.key_name
}

module "rds" {
  source = "../../modules/rds"

  identifier              = "${local.name}-db"
  snapshot_identifier     = var.snapshot_identifier
  subnet_ids              = module.network.private_subnet_ids
  security_group_ids      = [module.network.db_security_group_id]
  engine_version          = var.database.engine_version
  instance_class          = var.database.instance_class
  allocated_storage       = var.database.allocated_storage
  max_allocated_storage   = var.database.max_allocated_storage
  multi_az                = var.database.multi_az
  backup_retention_period = var.database.retention_days
  deletion_protection     = var.database.deletion_protection && !var.disposable
  skip_final_snapshot     = local.disposable
  database_name           = "maestrohwithit"
  parameters              = var.database_parameters
  backup                  = local.backup
}

module "compute" {
  source = "../../modules/compute"

  name                     = local.name
  environment              = var.environment
  region                   = var.region
  vpc_id                   = module.network.vpc_id
  azs                      = var.azs
  public_subnet_ids        = module.network.public_subnet_ids
  private_subnet_ids       = module.network.private_subnet_ids
  alb_security_group_id    = module.network.alb_security_group_id
  app_security_group_id    = module.network.app_security_group_id
  ami_id                   = var.ami_id
  instance_type            = var.instance_type
  instance_count           = var.instance_count
  key_name                 = var.key_name
  public_key               = trimspace(var.public_key)
  data_volume_size         = var.data_volume_size
  data_volume_snapshot_ids = var.data_volume_snapshot_ids
  certificate_arn          = var.certificate_arn
  backup                   = local.backup
}

module "storage" {
  source = "../../modules/storage"

  name   = local.name
  suffix = "${var.region}-${var.account_id}"
  backup = local.backup

  buckets = {
    backups = "Database dumps and exports"
    assets  = "Files that users have uploaded"
  }

  force_destroy = local.disposable
}

module "backup" {
  source = "../../modules/backup"
  count  = local.backup ? 1 : 0

  name           = local.name
  environment    = var.environment
  region         = var.region
  account_id     = var.account_id
  retention_days = var.backup_retention_days
  copy_region    = var.dr_region
  force_destroy  = local.disposable
}

module "dns" {
  source = "../../modules/dns"
  count  = var.zone_name == "" ? 0 : 1

  zone_name    = var.zone_name
  environment  = var.environment
  region       = var.region
  alb_dns_name = module.compute.alb_dns_name
  alb_zone_id  = module.compute.alb_zone_id
  db_address   = module.rds.address
}

module "monitoring" {
  source = "../../modules/monitoring"

  name                    = local.name
  db_identifier           = module.rds.identifier
  instance_ids            = module.compute.instance_ids
  alb_arn_suffix          = module.compute.alb_arn_suffix
  target_group_arn_suffix = module.compute.target_group_arn_suffix
  email_endpoints         = var.alarm_emails
  extra_alarm_actions     = var.oncall_topic_arns
}
