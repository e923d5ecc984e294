"""Routes about where time goes: heatmaps, what is different, operations."""
