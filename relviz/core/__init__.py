"""Pure functions on tensors: no files, no network, no clock, no global state."""
