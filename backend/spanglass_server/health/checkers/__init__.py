"""What each kind of check does, once."""
