"""From samples to spaces: device, batches, memory, the cache by content, and the heads that read a space."""
