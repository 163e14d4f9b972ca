resource "aws_instance" "web" {
  ami = "ami-1"
  dynamic "ebs_block_device" {
    for_each = var.volumes
    content {
      availability_zone = "us-east-2a"
      tags = {
        Name = "us-east-2"
      }
    }
  }
  lifecycle {
    ignore_changes = [ami, tags["x"]]
  }
  provisioner "local-exec" {
    command = "echo \"us-east-2\" > ${path.module}/x"
  }
}
