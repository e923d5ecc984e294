"""How checks are written."""
