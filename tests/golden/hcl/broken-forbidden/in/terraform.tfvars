# Production
environment = "prod"

region    = "us-east-2"
azs       = ["us-east-2a", "us-east-2b"] # two
dr_region = "us-west-2"

topics = ["arn:aws:sns:us-east-2:123456789012:oncall"]

tags = {
  Name  = "prod" # the name
  "a.b" = "c"
}
