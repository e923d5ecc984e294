"""What is saved is kept in a SQLite file."""
