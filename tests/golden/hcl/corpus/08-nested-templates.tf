locals {
  a = "x${f("y${g("us-east-2")}z", { "}" = "${h}" })}w"
  b = "$${literal} $$${deeper} %%{ if } 100% $5 us-east-2"
  c = "%{ if a ~}us-east-2%{ else }${b}%{ endif ~}"
  d = "${<<E
us-east-2 ${"}"}
E
}"
  e = "${~ a ~}"
}
