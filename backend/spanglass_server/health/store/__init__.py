"""What is kept of health: statuses with all their changes, and calls of heartbeats."""
