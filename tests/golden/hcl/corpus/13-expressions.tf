locals {
  a = var.region == "us-east-2" ? "x" : "y"
  b = [for k, v in { "us-east-2" = 1 } : "${k}=${v}" if v > 0]
  c = {for z in local.z : z => "us-east-2"...}
  d = merge({ region = "us-east-2" }, var.tags)["region"]
  e = (
    "us-east-2"
  )
  f = -1 + 2 * 3 / 4 % 5 >= 6 && !true || false
  g = provider::aws::arn_parse("arn:aws:sns:us-east-2:1:t").region
  h = aws_instance.web[*].id
  i = a.0.b.*.c
  j = concat([], ["us-east-2"]...)
}
