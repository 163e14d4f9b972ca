terraform {
  backend "s3" {
    key          = "k"
    use_lockfile = true # lock
    assume_role {
      arn = "x"
    }
  }
}
variable "one" { default = "a" }
variable "none" {}
variable "blank" {
  # only a comment
}
locals {
	tab = 1
	one_line = { a = 1, b = 2 }
	trailing = { a = 1, }
	empty = {}
	commas = {
		a = 1,
		b = 2, # two
	}
	colons = {
		a: 1
	}
	tight=1
}
