locals {
  amis = {
    us-east-2   = "ami-1"
    "us-west-2" = "ami-2"
    (var.x)     = "ami-3"
  }
  ami = local.amis["us-east-2"]
}
