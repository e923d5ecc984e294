"""What findings are kept in: a SQLite file."""
