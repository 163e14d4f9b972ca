region = "us-west-2"
dr_region = "us-east-2"
from = "old us-east-2"
list = ["us-east-2", "c"]
