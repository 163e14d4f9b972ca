locals {
  a = "us-east-2"
}
