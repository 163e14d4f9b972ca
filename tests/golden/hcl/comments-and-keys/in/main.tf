# us-east-2
locals {
  a = { us-east-2 = 1 }
}
