"""Binary operators between vectors and numbers."""
