# One provider, one region, no alias: nothing in this stack asks another region
# for anything.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = merge(var.tags, {
      Environment = var.environment
      ManagedBy   = "terraform"
      Stack       = "${local.name}/${var.region}"
    })
  }
}
