"""Pages of notifications: who is told of alerts and over which channels, and what became of each message."""
