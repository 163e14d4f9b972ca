a = { null = 1, true = "us-east-2", if = 2, in = 3 }
b = { "for" = "us-east-2" }
