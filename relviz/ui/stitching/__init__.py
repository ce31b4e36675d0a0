"""What the page Stitching is made of."""
