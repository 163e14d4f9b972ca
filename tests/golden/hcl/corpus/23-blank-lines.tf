


locals {


  a   =   "us-east-2"   

  bb  = 2


}


