a = [
  1,
  3, # two
]
b = [5, 6]
c = {
  k      = "v"
  longer = 1
}
