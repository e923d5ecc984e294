"""Parquet files: writing, which hold what, merging, deleting, and the catalog that lists them."""
