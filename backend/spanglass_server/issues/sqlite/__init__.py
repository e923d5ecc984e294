"""The parts of the issue store in a SQLite file."""
