a = [
  "us-east-2a", "us-east-2b" // two
  , # comma on a line of its own
  "us-east-2c",
]
b = [[["us-east-2"]]]
c = [{ x = 1 }, { x = "us-east-2" }]
