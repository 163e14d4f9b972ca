output "vault_name" {
  description = "Vault of this region."
  value       = aws_backup_vault.this.name
}

output "copy_vault_arns" {
  description = "Vaults that receive copies; empty when none does."
  value       = local.copy_vault_arns
}
