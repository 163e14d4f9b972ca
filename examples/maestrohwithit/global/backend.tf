# In the DR region: this state must outlive the home region.
terraform {
  backend "s3" {
    bucket       = "maestrohwithit-tfstate-123456789012-us-west-2"
    key          = "global/terraform.tfstate"
    region       = "us-west-2"
    encrypt      = true
    use_lockfile = true
  }
}
