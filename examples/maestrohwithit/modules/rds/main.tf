# One MySQL instance, built empty or from a snapshot by the same resource. A
# region failover sets snapshot_identifier and applies: Terraform itself makes
# the instance from the snapshot, under its own identifier, with its own subnet
# group, parameter group and security groups, and the plan after that changes
# nothing. No instance is restored behind Terraform's back.
#
# While snapshot_identifier is set, whatever the snapshot brings along is left to
# it: database, users, version, size (which may have outgrown allocated_storage,
# and a restore to less is refused), backup window and retention. So the restore
# is one call, and not a restore followed by minutes of modification. Emptying
# snapshot_identifier later hands those settings back to this file: the next
# apply sets them in place, when nobody waits for the database any more.

locals {
  from_snapshot = var.snapshot_identifier != ""
}

resource "aws_db_subnet_group" "this" {
  name        = var.identifier
  description = "Private subnets of ${var.identifier}"
  subnet_ids  = var.subnet_ids

  tags = { Name = var.identifier }
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.identifier}-mysql80"
  description = "Parameters of ${var.identifier}"
  family      = "mysql8.0"

  dynamic "parameter" {
    for_each = var.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  tags = { Name = "${var.identifier}-mysql80" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  identifier     = var.identifier
  engine         = "mysql"
  instance_class = var.instance_class

  snapshot_identifier = local.from_snapshot ? var.snapshot_identifier : null

  # What a snapshot brings along.
  engine_version          = local.from_snapshot ? null : var.engine_version
  db_name                 = local.from_snapshot ? null : var.database_name
  username                = local.from_snapshot ? null : "admin"
  storage_type            = local.from_snapshot ? null : "gp3"
  allocated_storage       = local.from_snapshot ? null : var.allocated_storage
  max_allocated_storage   = local.from_snapshot ? null : var.max_allocated_storage
  backup_retention_period = local.from_snapshot ? null : var.backup_retention_period
  backup_window           = local.from_snapshot ? null : "03:00-04:00"
  maintenance_window      = local.from_snapshot ? null : "sun:04:30-sun:05:30"

  # Made, kept and rotated by Secrets Manager in the same region. A restored
  # database has the old password, whose secret went down with its region; it is
  # replaced when the settings are handed back. Applications have their own users.
  manage_master_user_password = local.from_snapshot ? null : true

  storage_encrypted = true

  # What a restore would otherwise set to a default of its own.
  multi_az                        = var.multi_az
  db_subnet_group_name            = aws_db_subnet_group.this.name
  parameter_group_name            = aws_db_parameter_group.this.name
  vpc_security_group_ids          = var.security_group_ids
  publicly_accessible             = false
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protection
  enabled_cloudwatch_logs_exports = ["error", "slowquery"]

  skip_final_snapshot       = var.skip_final_snapshot
  final_snapshot_identifier = "${var.identifier}-final"

  tags = {
    Name   = var.identifier
    Backup = tostring(var.backup)
  }

  lifecycle {
    # What a snapshot decides is decided once, when the instance is made.
    # Without this, the first plan after a restore that no longer names the
    # snapshot would destroy the restored database to build an empty one.
    ignore_changes = [snapshot_identifier, db_name, username]
  }
}
