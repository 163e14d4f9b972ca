# The names of one region's stack: app.us-east-2.prod.maestrohwithit.com and so
# on. The region is part of each name, so two stacks never want the same record,
# and destroying the old one later takes nothing away from the new one.
#
# The names that people and programs use (app.maestrohwithit.com) are not here.
# They point at one of these; drctl alone makes and moves them. See README.md,
# "Who owns the records".

locals {
  suffix = "${var.region}.${var.environment}.${var.zone_name}"
}

data "aws_route53_zone" "this" {
  name         = var.zone_name
  private_zone = false
}

resource "aws_route53_record" "alb" {
  for_each = toset(["app", "api"])

  zone_id = data.aws_route53_zone.this.zone_id
  name    = "${each.key}.${local.suffix}"
  type    = "A"

  alias {
    name                   = var.alb_dns_name
    zone_id                = var.alb_zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "db" {
  zone_id = data.aws_route53_zone.this.zone_id
  name    = "db.${local.suffix}"
  type    = "CNAME"
  ttl     = 60
  records = [var.db_address]
}
