"""Rollups: points of metrics thinned to 5 minutes and to an hour, for long ranges and beyond the points' retention."""
