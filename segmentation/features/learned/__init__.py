"""Learned texture: what the front of a small network that was trained on photographs says of a pixel's surroundings."""
