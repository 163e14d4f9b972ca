# moved from us-east-2 once
terraform {
  backend "s3" {
    bucket = "state-us-east-2"
    key    = "prod/us-east-2/terraform.tfstate"
    region = "us-east-2"
  }
}
