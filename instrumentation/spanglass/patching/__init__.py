"""Replacing functions of other libraries, and waiting for their import."""
