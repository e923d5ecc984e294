"""Row groups of Parquet files, put together in another file as they are."""
