"""Segments that policies say something of: which rows stay, and writing these anew."""
