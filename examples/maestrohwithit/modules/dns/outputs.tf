output "names" {
  description = "This region's names, the targets of the public ones."
  value = {
    app = aws_route53_record.alb["app"].fqdn
    api = aws_route53_record.alb["api"].fqdn
    db  = aws_route53_record.db.fqdn
  }
}

output "zone_id" {
  description = "The public zone."
  value       = data.aws_route53_zone.this.zone_id
}
