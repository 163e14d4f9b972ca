# What belongs to no region's stack: the zone, and the vaults that a recovery
# starts from. Applied once; a failover neither reads nor changes it.

provider "aws" {
  region              = var.dr_region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      Project   = "maestrohwithit"
      ManagedBy = "terraform"
      Stack     = "global"
    }
  }
}

# The zone alone. The public names in it (app.maestrohwithit.com and so on) are in
# no Terraform at all: they stand in site.yaml, and drctl makes and moves them. Any
# Terraform that knew them would undo a failover with its next apply.
resource "aws_route53_zone" "public" {
  name    = var.zone_name
  comment = "Public zone"

  lifecycle {
    prevent_destroy = true
  }
}

# Receives the copies of AWS Backup. In the DR region's own state, so that it can
# still be managed when the home region and its state are gone.
resource "aws_backup_vault" "dr" {
  for_each = toset(var.environments)

  name = "${each.key}-maestrohwithit-dr-vault"

  lifecycle {
    prevent_destroy = true
  }
}
