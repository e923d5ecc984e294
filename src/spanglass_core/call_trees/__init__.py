"""What requests of one operation are made of: their calls folded by path, and their statements without values."""
