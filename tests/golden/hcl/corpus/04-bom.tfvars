region = "us-east-2"
name = "x"
