tags = { Name = "a", "a.b" : "us-east-2", "c d" = 3 }
nested = {
  one = {
    two = ["us-east-2a", { three = "us-east-2" }]
  }
  "quoted" = true,
  number: 1.50

  # comment
  last = null }
empty = {}
none = []
spaced = { }
lines = {
}
