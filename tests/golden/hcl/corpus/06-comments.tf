/* region = "us-east-2" */
provider /* kind */ "aws" /* labels */ { // open
  region /* a */ = /* b
  c */ "us-east-2" // "us-east-2"
  # region = "us-east-2"
}
# end without newline: us-east-2