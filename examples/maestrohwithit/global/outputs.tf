output "zone_id" {
  description = "The public zone."
  value       = aws_route53_zone.public.zone_id
}

output "name_servers" {
  description = "Name servers to enter at the registrar."
  value       = aws_route53_zone.public.name_servers
}

output "dr_vault_arns" {
  description = "Vaults that receive the copies."
  value       = { for environment, vault in aws_backup_vault.dr : environment => vault.arn }
}
