module "x" {
  source = "./x"
  region = var.region
}
