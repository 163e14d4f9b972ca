variable "account_id" {
  description = "The only AWS account that this may be applied to."
  type        = string
}

variable "dr_region" {
  description = "Region that receives the copies of the backups."
  type        = string
}

variable "zone_name" {
  description = "Public zone, without the final dot."
  type        = string
}

variable "environments" {
  description = "Environments whose backups are copied."
  type        = list(string)
}
