# Daily backups of everything tagged Backup = "true", copied to the DR region.
#
# The vault that receives the copies belongs to global/, not to this stack: what
# a recovery starts from must not be in the state of the region that failed. It
# is named here by its ARN alone, so that applying this module sends no request
# to the other region.

locals {
  copy_vault_arns = (
    var.copy_region == "" || var.copy_region == var.region
    ? []
    : ["arn:aws:backup:${var.copy_region}:${var.account_id}:backup-vault:${var.name}-dr-vault"]
  )
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}

# IAM is global: the region stands in the name.
resource "aws_iam_role" "backup" {
  name               = "${var.name}-backup-${var.region}"
  description        = "AWS Backup of ${var.name} in ${var.region}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "backup" {
  for_each = toset([
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
  ])

  role       = aws_iam_role.backup.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_backup_vault" "this" {
  name          = "${var.name}-backup-vault"
  force_destroy = var.force_destroy
}

resource "aws_backup_plan" "daily" {
  name = "${var.name}-daily"

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.this.name
    schedule          = "cron(0 5 * * ? *)"
    start_window      = 60
    completion_window = 360

    lifecycle {
      delete_after = var.retention_days
    }

    dynamic "copy_action" {
      for_each = local.copy_vault_arns

      content {
        destination_vault_arn = copy_action.value

        lifecycle {
          delete_after = var.retention_days
        }
      }
    }
  }
}

# Both conditions must hold: all environments share the account, and each backs up
# its own.
resource "aws_backup_selection" "tagged" {
  name         = "${var.name}-tagged"
  plan_id      = aws_backup_plan.daily.id
  iam_role_arn = aws_iam_role.backup.arn
  resources    = ["*"]

  condition {
    string_equals {
      key   = "aws:ResourceTag/Backup"
      value = "true"
    }

    string_equals {
      key   = "aws:ResourceTag/Environment"
      value = var.environment
    }
  }
}
