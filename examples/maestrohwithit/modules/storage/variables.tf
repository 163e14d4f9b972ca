variable "name" {
  description = "Prefix of every name, for example prod-maestrohwithit."
  type        = string
}

variable "buckets" {
  description = "Buckets to make: the middle of the name, and what is in it."
  type        = map(string)
}

variable "suffix" {
  description = <<-EOT
    End of each bucket name. All AWS accounts share one namespace, so the suffix
    must hold both the region and the account: the same stack in a second region
    then never asks for a name that the first still owns.
  EOT
  type        = string
}

variable "force_destroy" {
  description = "Allow a bucket with objects in it to be destroyed."
  type        = bool
  default     = false
}

variable "backup" {
  description = "Value of the Backup tag, by which AWS Backup chooses what it backs up."
  type        = bool
}
