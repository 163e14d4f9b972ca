locals {
  a = <<EOT
region us-east-2
  EOT # not yet
EOT,
$${not} %%{not} ${upper("us-east-2")}EOT
   EOT
  b = <<-EOT

      us-east-2a
    ${join(",", [for x in ["us-east-2"] : "${x}-y"])}
	EOT
  c = [<<A
A B
A
  , "us-east-2", <<B
B A
B
  ]
}
