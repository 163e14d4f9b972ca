variable "name" {
  description = "Prefix of every name, for example prod-maestrohwithit."
  type        = string
}

variable "db_identifier" {
  description = "RDS instance to watch."
  type        = string
}

variable "instance_ids" {
  description = "EC2 instances to watch."
  type        = list(string)
}

variable "alb_arn_suffix" {
  description = "Load balancer to watch, as CloudWatch names it."
  type        = string
}

variable "target_group_arn_suffix" {
  description = "Target group to watch, as CloudWatch names it."
  type        = string
}

variable "email_endpoints" {
  description = "Addresses that are written to."
  type        = list(string)
  default     = []
}

variable "extra_alarm_actions" {
  description = "Further ARNs to notify, in the stack's region."
  type        = list(string)
  default     = []
}
