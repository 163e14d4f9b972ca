# moved from us-east-2 once
terraform {
  backend "s3" {
    bucket = "state-us-west-2"
    key    = "prod/us-west-2/terraform.tfstate"
    region = "us-west-2"
  }
}
