"""Pages about single log lines."""
