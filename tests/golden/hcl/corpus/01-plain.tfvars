region = "us-east-2"
azs = ["us-east-2a", "us-east-2b"]
