"""Service level objectives on the command line."""
