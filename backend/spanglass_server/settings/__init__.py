"""Settings: their table, their types, and reading them from file, environment and command line."""
