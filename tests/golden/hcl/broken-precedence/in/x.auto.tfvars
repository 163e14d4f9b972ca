region = "us-east-2"
tags = { a = 2 }
