# The cluster holds no state of its own: what runs in it comes from k8s/ in this
# repository, what it remembers is in RDS and S3. Losing it costs time, not data.

resource "aws_eks_cluster" "this" {
  name     = var.cluster_name
  role_arn = aws_iam_role.cluster.arn
  version  = var.kubernetes_version

  enabled_cluster_log_types = ["api", "audit", "authenticator"]

  vpc_config {
    subnet_ids              = var.subnet_ids
    security_group_ids      = var.security_group_ids
    endpoint_private_access = true
    endpoint_public_access  = true
    public_access_cidrs     = var.public_access_cidrs
  }

  tags = { Name = var.cluster_name }

  depends_on = [aws_iam_role_policy_attachment.cluster]
}

resource "aws_eks_node_group" "workers" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "${var.cluster_name}-workers"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  instance_types  = var.instance_types
  capacity_type   = "ON_DEMAND"
  ami_type        = "AL2_x86_64"
  disk_size       = 50

  scaling_config {
    min_size     = var.node_count.min
    desired_size = var.node_count.desired
    max_size     = var.node_count.max
  }

  # For a look at a node when the cluster's API does not answer.
  remote_access {
    ec2_ssh_key               = var.key_name
    source_security_group_ids = var.security_group_ids
  }

  labels = { role = "workers" }
  tags   = { Name = "${var.cluster_name}-workers" }

  # The autoscaler owns the number of nodes after the first apply.
  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}
