terraform {
  backend "s3" {
    key          = "k"
    use_lockfile = true # lock
    region       = "r"
    assume_role {
      arn = "x"
    }
  }
}
variable "one" {
  default = "a"
  type    = "string"
}
variable "none" {
  default = null
}
variable "blank" {
  default = [1]
  # only a comment
}
locals {
	tab = 1
	one_line = { a = 1, b = 2, c = 3 }
	trailing = { a = 1, c = 3, }
	empty = { c = 3 }
	commas = {
		a = 1,
		b = 2, # two
		long = {
			x = 1
		},
	}
	colons = {
		a: 1
		b: "2"
	}
	tight=1
	last =true
}
