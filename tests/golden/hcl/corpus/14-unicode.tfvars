größe = "us-east-2"
区域 = "us-east-2"
a-b_c = "é"
