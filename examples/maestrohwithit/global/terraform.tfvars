account_id   = "123456789012"
dr_region    = "us-west-2"
zone_name    = "maestrohwithit.com"
environments = ["prod", "staging"]
