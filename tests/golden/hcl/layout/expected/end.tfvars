a = 1
long_name = 2
b = {
  x = [
    1,
    { y = 2 },
  ]
}