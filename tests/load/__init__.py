"""Many visitors at once, or one after the other for long: `make load`, `make soak`."""
