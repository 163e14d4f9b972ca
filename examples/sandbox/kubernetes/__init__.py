"""A Kubernetes API that real kubectl works against, with a store of its own for each cluster."""
