"""What the page Reconstruction is made of."""
