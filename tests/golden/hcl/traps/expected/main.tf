# us-east-2 stays in comments
locals {
  a = "us-east-20 us-west-2a us-east-2ab xus-east-2"
  b = "$${us-west-2} ${f("us-west-2", { "}" = "us-west-2b" })}"
  c = <<-EOT
    region = us-west-2
    EOT # us-west-2
    ${upper("us-west-2")}EOT
  EOT
  d = "us-west-2"
  amis = {
    us-east-2   = "ami-1" # a key
    "us-west-2" = "ami-2"
  }
  e = local.amis["us-west-2"]
}
