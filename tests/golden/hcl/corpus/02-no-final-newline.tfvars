region = "us-east-2"
zone="us-east-2a"