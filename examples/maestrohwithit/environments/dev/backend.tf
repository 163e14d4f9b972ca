# Each region has a state of its own, in a bucket of its own. Never point one
# state at two regions: Terraform would look for the old resources in the new
# region, find none, forget them and plan duplicates.
terraform {
  backend "s3" {
    bucket       = "maestrohwithit-tfstate-123456789012-us-east-2"
    key          = "dev/us-east-2/terraform.tfstate"
    region       = "us-east-2"
    encrypt      = true
    use_lockfile = true
  }
}
