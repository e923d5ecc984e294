"""Policies of retention: which traces outlive others, how old ordinary ones become, and thinning these."""
