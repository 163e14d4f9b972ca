variable "cluster_name" {
  description = "Name of the cluster. Regional, so it is the same in every region."
  type        = string
}

variable "region" {
  description = "Region; part of the IAM role names, which are global."
  type        = string
}

variable "kubernetes_version" {
  description = "Kubernetes minor version."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the control plane's interfaces and of the nodes, in two zones or more."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Further security groups of the control plane's interfaces."
  type        = list(string)
  default     = []
}

variable "instance_types" {
  description = "Instance types of the nodes."
  type        = list(string)
}

variable "node_count" {
  description = "Nodes: least, wanted at first, most."
  type = object({
    min     = number
    desired = number
    max     = number
  })
}

variable "key_name" {
  description = "Key pair that opens the nodes, from the security groups above alone."
  type        = string
}

variable "public_access_cidrs" {
  description = "Address ranges that reach the public API endpoint."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}
