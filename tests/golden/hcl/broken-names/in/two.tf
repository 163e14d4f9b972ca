provider "aws" {
  region = "a"
}
provider "aws" {
  region = "b"
}
