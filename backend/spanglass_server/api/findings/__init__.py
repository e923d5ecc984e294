"""Routes about performance findings."""
