"""What the page Anchors is made of."""
