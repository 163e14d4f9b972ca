a = 1
# about c
d = { y = 2 }
e = {
  x = 1,
  z = 3
}