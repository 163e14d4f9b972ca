kms = "arn:aws:kms:us-east-2:123456789012:key/us-east-2"
other = ["us-east-20", "us-east-2ab", "prod-us-east-2-db", "https://eks.us-east-2.amazonaws.com/"]
