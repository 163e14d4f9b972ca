variable "name" {
  description = "Prefix of every name, for example prod-maestrohwithit."
  type        = string
}

variable "environment" {
  description = "Value of the Environment tag of what is backed up."
  type        = string
}

variable "region" {
  description = "Region of the stack."
  type        = string
}

variable "account_id" {
  description = "Account; part of the copy vault's ARN."
  type        = string
}

variable "retention_days" {
  description = "Days that a recovery point is kept: 30 in production, 7 in staging."
  type        = number
}

variable "copy_region" {
  description = <<-EOT
    Region that receives a copy of each recovery point. Empty, or the stack's own
    region, makes no copy: after a failover the stack runs in what was its copy
    region, and the region that failed must not be asked for anything.
  EOT
  type        = string
  default     = ""
}

variable "force_destroy" {
  description = "Allow the vault to be destroyed with the recovery points in it."
  type        = bool
  default     = false
}
