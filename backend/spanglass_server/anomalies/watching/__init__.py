"""Watching: what is read of which series, what is known of them, and what is told."""
