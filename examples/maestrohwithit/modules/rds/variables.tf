variable "identifier" {
  description = "Identifier of the instance, for example prod-maestrohwithit-db."
  type        = string
}

variable "snapshot_identifier" {
  description = <<-EOT
    Snapshot (identifier or ARN, of this region) to build the instance from.
    Empty builds an empty database. It is read when the instance is created and
    never again: changing it, or dropping it, does not touch a living database.
  EOT
  type        = string
  default     = ""
}

variable "subnet_ids" {
  description = "Private subnets in two zones or more."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of the instance. A restore without them falls back to the VPC's default group."
  type        = list(string)
}

variable "engine_version" {
  description = "MySQL version; two parts (8.0) let AWS choose the patch level."
  type        = string
}

variable "instance_class" {
  description = "Instance class."
  type        = string
}

variable "allocated_storage" {
  description = "Storage in GiB. A snapshot is never restored to less than it was taken from."
  type        = number
}

variable "max_allocated_storage" {
  description = "Storage autoscaling stops here, in GiB."
  type        = number
}

variable "multi_az" {
  description = "Standby in a second zone."
  type        = bool
}

variable "backup_retention_period" {
  description = "Days of automated backups, which is also how far back a point-in-time restore reaches."
  type        = number
}

variable "deletion_protection" {
  description = "Refuse to delete the instance."
  type        = bool
}

variable "skip_final_snapshot" {
  description = "Delete without a last snapshot. For environments that are rebuilt from code."
  type        = bool
  default     = false
}

variable "database_name" {
  description = "Database that an empty instance starts with. A snapshot brings its own."
  type        = string
}

variable "backup" {
  description = "Value of the Backup tag, by which AWS Backup chooses what it backs up."
  type        = bool
}

variable "parameters" {
  description = "MySQL parameters that differ from the engine's defaults."
  type        = map(string)
  default     = {}
}
