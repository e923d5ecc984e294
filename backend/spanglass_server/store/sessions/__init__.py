"""Reading with DuckDB: running, connections, what one session sees and asks."""
