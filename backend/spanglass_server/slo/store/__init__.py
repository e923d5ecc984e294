"""Counts of objectives in a SQLite file."""
