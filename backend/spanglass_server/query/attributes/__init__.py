"""Attributes that records have: counts of values, keys for completion, keys that no record has."""
