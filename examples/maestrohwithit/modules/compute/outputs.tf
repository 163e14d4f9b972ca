output "instance_ids" {
  description = "Application instances."
  value       = aws_instance.app[*].id
}

output "volume_ids" {
  description = "Their data volumes."
  value       = aws_ebs_volume.data[*].id
}

output "alb_dns_name" {
  description = "Host name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "alb_zone_id" {
  description = "Route 53 zone of the load balancer's name, for alias records."
  value       = aws_lb.this.zone_id
}

output "alb_arn_suffix" {
  description = "The load balancer as CloudWatch names it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn" {
  description = "Target group of the application."
  value       = aws_lb_target_group.app.arn
}

output "target_group_arn_suffix" {
  description = "The target group as CloudWatch names it."
  value       = aws_lb_target_group.app.arn_suffix
}

output "key_name" {
  description = "Key pair; whoever uses it waits until it exists."
  value       = aws_key_pair.this.key_name
}
