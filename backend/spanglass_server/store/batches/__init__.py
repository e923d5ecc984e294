"""Rows that lie together, with columns that are decoded once and kept."""
