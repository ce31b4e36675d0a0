"""The experiments of the papers as recipes: `relviz reproduce`."""
