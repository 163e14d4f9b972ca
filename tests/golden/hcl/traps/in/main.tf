# us-east-2 stays in comments
locals {
  a = "us-east-20 us-east-2a us-east-2ab xus-east-2"
  b = "$${us-east-2} ${f("us-east-2", { "}" = "us-east-2b" })}"
  c = <<-EOT
    region = us-east-2
    EOT # us-east-2
    ${upper("us-east-2")}EOT
  EOT
  d = "us\u002deast-2"
  amis = {
    us-east-2   = "ami-1" # a key
    "us-west-2" = "ami-2"
  }
  e = local.amis["us-east-2"]
}
