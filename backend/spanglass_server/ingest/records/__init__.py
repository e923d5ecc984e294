"""Kinds of records: which may be stored, and their columns."""
