"""Routes about policies of retention."""
