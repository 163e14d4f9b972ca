provider "aws" {
  region = "us-east-2"
}

provider "aws" {
  alias  = "dr"
  region = "us-west-2"
}
locals {
  a = 1
}
locals { b = "us-east-2" }
locals {}
