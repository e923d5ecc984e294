"""Filters about the other spans of a trace, over what is stored."""
