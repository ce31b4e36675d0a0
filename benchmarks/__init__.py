"""Our kernels beside their peers: `make bench`."""
