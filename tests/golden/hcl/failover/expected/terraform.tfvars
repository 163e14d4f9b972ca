# Production
environment = "prod"

region    = "us-west-2"
azs       = ["us-west-2a", "us-west-2c"] # two
dr_region = "us-west-2"

topics = ["arn:aws:sns:us-west-2:123456789012:oncall"]

tags = {
  Name  = "prod" # the name
  "a.b" = "$${d}"
}
