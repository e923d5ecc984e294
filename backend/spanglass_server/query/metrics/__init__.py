"""Metrics: which one is meant, its points, and range queries."""
