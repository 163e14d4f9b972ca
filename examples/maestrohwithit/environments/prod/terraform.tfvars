# Production. What a move to another region changes stands in this file and in
# backend.tf, and nowhere else.

environment = "prod"
account_id  = "123456789012"

# --- Where -------------------------------------------------------------------

region    = "us-east-2"
azs       = ["us-east-2a", "us-east-2b", "us-east-2c"]
dr_region = "us-west-2" # receives the copies of the backups

vpc_cidr           = "10.20.0.0/16"
single_nat_gateway = false
zone_name          = "maestrohwithit.com"

# --- Where from: what exists in one region alone -------------------------------

ami_id                   = "" # empty: our newest image that is tagged with this environment
snapshot_identifier      = "" # empty: an empty database
data_volume_snapshot_ids = [] # empty: empty volumes

# --- Application servers ---------------------------------------------------------

instance_type    = "t3.medium"
instance_count   = 2
data_volume_size = 100
key_name         = "maestrohwithit-prod-key"

public_key = <<-EOT
  ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvVLdr17CxrxI7xRcQVFstYQ4Ujui1qy0rwQxdt+6cS devops@maestrohwithit.com
EOT

# --- Kubernetes --------------------------------------------------------------------

kubernetes_version  = "1.31"
node_instance_types = ["m6i.large"]

node_count = {
  min     = 2
  desired = 3
  max     = 9
}

# --- Database ------------------------------------------------------------------------

database = {
  engine_version        = "8.0"
  instance_class        = "db.t3.medium"
  allocated_storage     = 100
  max_allocated_storage = 500
  multi_az              = true
  retention_days        = 14
  deletion_protection   = true
}

database_parameters = {
  character_set_server = "utf8mb4"
  long_query_time      = "2"
  slow_query_log       = "1"
}

# --- Backups and alarms ----------------------------------------------------------------

backup_retention_days = 30

alarm_emails = ["devops@maestrohwithit.com"]

# An alarm can only notify a topic of its own region.
oncall_topic_arns = ["arn:aws:sns:us-east-2:123456789012:pagerduty-oncall"]

tags = {
  Project    = "maestrohwithit"
  Owner      = "devops@maestrohwithit.com"
  CostCenter = "4711"
}
