"""Networks, their recipes, and the shelf they stand on."""
