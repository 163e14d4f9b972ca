locals {
  amis = {
    us-east-2 = "ami-1"
  }
}
