# Windows
region = "us-east-2"
azs = [
  "us-east-2a", # first
  "us-east-2b",
]
script = <<-EOT
  region us-east-2
  EOT
last = 1
