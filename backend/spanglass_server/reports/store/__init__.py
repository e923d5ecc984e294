"""Reports that were asked for, in a SQLite file."""
