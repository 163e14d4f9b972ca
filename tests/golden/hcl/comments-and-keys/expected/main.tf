# eu-west-1
locals {
  a = { eu-west-1 = 1 }
}
