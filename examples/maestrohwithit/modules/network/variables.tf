variable "name" {
  description = "Prefix of every name, for example prod-maestrohwithit."
  type        = string
}

variable "cidr" {
  description = "The VPC's address range, a /16. Each region has its own, so that the two can be peered."
  type        = string
}

variable "azs" {
  description = "Availability zones, at least two: EKS, RDS and the load balancer all refuse one."
  type        = list(string)

  validation {
    condition     = length(var.azs) >= 2
    error_message = "At least two availability zones are needed."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for the VPC (cheap) instead of one for each zone (survives the loss of a zone)."
  type        = bool
  default     = true
}

variable "cluster_name" {
  description = "EKS cluster whose load balancers may use these subnets."
  type        = string
}
