"""Pages of performance findings."""
