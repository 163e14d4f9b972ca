variable "a" { default = "us-east-2" }
variable "b" {}
variable "c" { }
output "d" { value = "us-east-2a" } # comment
