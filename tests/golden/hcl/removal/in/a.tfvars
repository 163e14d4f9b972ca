a = 1
b = 2 # two
# about c
c = <<EOT
x
EOT
d = { x = 1, y = 2, z = 3 }
e = {
  x = 1,
  y = 2 # gone
  z = 3
}
f = 4