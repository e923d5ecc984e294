"""Stored occurrences of exceptions: which are meant, pages of them, one whole, and the records that tell of them."""
