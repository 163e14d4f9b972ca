variable "environment" {
  description = "Environment; the first part of every name."
  type        = string
}

variable "account_id" {
  description = "The only AWS account that this stack may be applied to."
  type        = string
}

variable "region" {
  description = "Region of the stack."
  type        = string
}

variable "azs" {
  description = "Availability zones of the region."
  type        = list(string)

  validation {
    condition     = alltrue([for az in var.azs : startswith(az, var.region)])
    error_message = "Every availability zone must lie in the region of the stack."
  }
}

variable "dr_region" {
  description = "Region that receives copies of the backups. Empty, or the stack's own region: no copies."
  type        = string
}

variable "zone_name" {
  description = "Public Route 53 zone of the account. Empty: no DNS names."
  type        = string
}

variable "vpc_cidr" {
  description = "Address range of the VPC."
  type        = string
}

variable "single_nat_gateway" {
  description = "One NAT gateway instead of one for each zone."
  type        = bool
}

variable "kubernetes_version" {
  description = "Kubernetes minor version of the cluster."
  type        = string
}

variable "node_instance_types" {
  description = "Instance types of the cluster's nodes."
  type        = list(string)
}

variable "node_count" {
  description = "Nodes of the cluster."
  type = object({
    min     = number
    desired = number
    max     = number
  })
}

variable "database" {
  description = "Size and protection of the database."
  type = object({
    engine_version        = string
    instance_class        = string
    allocated_storage     = number
    max_allocated_storage = number
    multi_az              = bool
    retention_days        = number
    deletion_protection   = bool
  })
}

variable "database_parameters" {
  description = "MySQL parameters that differ from the engine's defaults."
  type        = map(string)
}

variable "snapshot_identifier" {
  description = "RDS snapshot of this region to build the database from. Empty builds an empty one."
  type        = string
  default     = ""
}

variable "ami_id" {
  description = "AMI of the application servers. Empty takes the newest of our own in the region."
  type        = string
  default     = ""
}

variable "data_volume_snapshot_ids" {
  description = "EBS snapshots of this region to make the data volumes from, in the order of the instances."
  type        = list(string)
  default     = []
}

variable "instance_type" {
  description = "Instance type of the application servers."
  type        = string
}

variable "instance_count" {
  description = "Application servers."
  type        = number
}

variable "data_volume_size" {
  description = "Size in GiB of each application server's data volume."
  type        = number
}

variable "key_name" {
  description = "Key pair of the application servers."
  type        = string
}

variable "public_key" {
  description = "Public half of the key pair."
  type        = string
}

variable "certificate_arn" {
  description = "ACM certificate of the load balancer, of this region. Empty serves plain HTTP."
  type        = string
  default     = ""
}

variable "backup_retention_days" {
  description = "Days that AWS Backup keeps recovery points. 0: no automated backups."
  type        = number
}

variable "disposable" {
  description = "The stack is made to be torn down again, as in the annual deployment test: no deletion protection, no final snapshot, buckets and vault go with their contents."
  type        = bool
  default     = false
}

variable "alarm_emails" {
  description = "Addresses that the alarms write to."
  type        = list(string)
}

variable "oncall_topic_arns" {
  description = "Further SNS topics that the alarms notify, in the stack's region."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
