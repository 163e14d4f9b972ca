variable "name" {
  description = "Prefix of every name, for example prod-maestrohwithit."
  type        = string
}

variable "environment" {
  description = "Environment; the tag by which AMIs are found."
  type        = string
}

variable "region" {
  description = "Region; part of the IAM role name, which is global."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "azs" {
  description = "Availability zones, in the order of the subnets."
  type        = list(string)
}

variable "public_subnet_ids" {
  description = "Subnets of the load balancer."
  type        = list(string)
}

variable "private_subnet_ids" {
  description = "Subnets of the instances."
  type        = list(string)
}

variable "alb_security_group_id" {
  description = "Security group of the load balancer."
  type        = string
}

variable "app_security_group_id" {
  description = "Security group of the instances."
  type        = string
}

variable "ami_id" {
  description = "AMI of the instances, which exists in one region alone. Empty takes the newest of our own that carries this environment's tag."
  type        = string
  default     = ""
}

variable "instance_type" {
  description = "Instance type."
  type        = string
}

variable "instance_count" {
  description = "Instances, spread over the zones."
  type        = number
}

variable "key_name" {
  description = "Name of the key pair."
  type        = string
}

variable "public_key" {
  description = "Public half of the key pair, in OpenSSH form."
  type        = string
}

variable "data_volume_size" {
  description = "Size in GiB of each instance's data volume."
  type        = number
}

variable "data_volume_snapshot_ids" {
  description = "EBS snapshots to make the data volumes from, in the order of the instances. Shorter or empty: the rest start empty."
  type        = list(string)
  default     = []
}

variable "certificate_arn" {
  description = "ACM certificate of the load balancer, of this region. Empty serves plain HTTP."
  type        = string
  default     = ""
}

variable "backup" {
  description = "Value of the Backup tag, by which AWS Backup chooses what it backs up."
  type        = bool
}
