region = "us-east-2"
dr_region = "us-west-2"
from = "x"
list = ["us-east-2", "b"]
