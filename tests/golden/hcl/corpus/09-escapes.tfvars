a = "us\u002deast-2"
b = "\"us-east-2\" \\ \n \t"
c = "\U0001f600 é us-east-2"
