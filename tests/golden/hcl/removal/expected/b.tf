locals { }
locals {
}
