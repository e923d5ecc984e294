"""The command about health checks."""
