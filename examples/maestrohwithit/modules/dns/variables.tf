variable "zone_name" {
  description = "Public zone, without the final dot."
  type        = string
}

variable "environment" {
  description = "Environment; part of each name."
  type        = string
}

variable "region" {
  description = "Region; part of each name."
  type        = string
}

variable "alb_dns_name" {
  description = "Host name of the load balancer."
  type        = string
}

variable "alb_zone_id" {
  description = "Route 53 zone of the load balancer's name."
  type        = string
}

variable "db_address" {
  description = "Host name of the database."
  type        = string
}
