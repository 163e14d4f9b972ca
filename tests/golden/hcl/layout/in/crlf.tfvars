a = [
  1,
  2, # two
]
b = 1
