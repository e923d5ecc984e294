"""Where alerts are kept: in a SQLite file, or in memory for tests and backtests."""
