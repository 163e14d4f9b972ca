# Application servers: instances from an AMI, each with a data volume of its own.

data "aws_ami" "newest" {
  count = var.ami_id == "" ? 1 : 0

  owners      = ["self"]
  most_recent = true

  filter {
    name   = "tag:Environment"
    values = [var.environment]
  }

  filter {
    name   = "state"
    values = ["available"]
  }
}

locals {
  ami_id = var.ami_id != "" ? var.ami_id : data.aws_ami.newest[0].id
}

resource "aws_key_pair" "this" {
  key_name   = var.key_name
  public_key = var.public_key
}

resource "aws_instance" "app" {
  count = var.instance_count

  ami                    = local.ami_id
  instance_type          = var.instance_type
  key_name               = aws_key_pair.this.key_name
  subnet_id              = var.private_subnet_ids[count.index % length(var.private_subnet_ids)]
  vpc_security_group_ids = [var.app_security_group_id]
  iam_instance_profile   = aws_iam_instance_profile.app.name
  ebs_optimized          = true

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  user_data = <<-EOT
    #!/bin/sh
    # Mount the data volume; make a file system only where there is none, so
    # that a volume restored from a snapshot keeps its data.
    set -eu
    device=/dev/nvme1n1
    blkid "$device" || mkfs.xfs "$device"
    mkdir -p /srv/data
    mount "$device" /srv/data
    echo "$${device} is mounted in ${var.region}" | logger -t user-data
  EOT

  tags = {
    Name   = "${var.name}-instance-${count.index + 1}"
    Backup = tostring(var.backup)
  }

  # A newer AMI is rolled out on purpose, never by the way.
  lifecycle {
    ignore_changes = [ami, user_data]
  }
}

resource "aws_ebs_volume" "data" {
  count = var.instance_count

  availability_zone = var.azs[count.index % length(var.azs)]
  size              = var.data_volume_size
  type              = "gp3"
  encrypted         = true
  snapshot_id       = try(var.data_volume_snapshot_ids[count.index], null)

  tags = {
    Name   = "${var.name}-data-${count.index + 1}"
    Backup = tostring(var.backup)
  }

  lifecycle {
    ignore_changes = [snapshot_id]
  }
}

resource "aws_volume_attachment" "data" {
  count = var.instance_count

  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data[count.index].id
  instance_id = aws_instance.app[count.index].id
}
