"""The page of patterns of log lines."""
