"""Groups of the table of settings, by topic."""
