"""Segments, catalog, memory, and the query engine over them."""
