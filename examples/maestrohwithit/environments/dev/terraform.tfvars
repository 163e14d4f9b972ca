# Development: no automated backups, recreated from code. What a move to another
# region changes stands in this file and in backend.tf, and nowhere else.

environment = "dev"
account_id  = "123456789012"

# --- Where -------------------------------------------------------------------

region    = "us-east-2"
azs       = ["us-east-2a", "us-east-2b"]
dr_region = "" # nothing to copy

vpc_cidr           = "10.40.0.0/16"
single_nat_gateway = true
zone_name          = "maestrohwithit.com"

# --- Where from: what exists in one region alone -------------------------------

ami_id                   = "" # empty: our newest image that is tagged with this environment
snapshot_identifier      = "" # empty: an empty database
data_volume_snapshot_ids = [] # empty: empty volumes

# --- Application servers -------------------------------------------------------

instance_type    = "t3.micro"
instance_count   = 1
data_volume_size = 10
key_name         = "maestrohwithit-dev-key"

public_key = <<-EOT
  ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG2hCJsF9/tZqV5FYCcFHTxGe2EgBJDIPpnaw51IMb8y devops@maestrohwithit.com
EOT

# --- Kubernetes ----------------------------------------------------------------

kubernetes_version  = "1.31"
node_instance_types = ["t3.large"]

node_count = {
  min     = 1
  desired = 1
  max     = 2
}

# --- Database ------------------------------------------------------------------

database = {
  engine_version        = "8.0"
  instance_class        = "db.t3.micro"
  allocated_storage     = 20
  max_allocated_storage = 50
  multi_az              = false
  retention_days        = 1
  deletion_protection   = false
}

database_parameters = {
  character_set_server = "utf8mb4"
  long_query_time      = "2"
  slow_query_log       = "1"
}

# --- Backups and alarms --------------------------------------------------------

backup_retention_days = 0

alarm_emails = []

tags = {
  Project    = "maestrohwithit"
  Owner      = "devops@maestrohwithit.com"
  CostCenter = "4713"
}
