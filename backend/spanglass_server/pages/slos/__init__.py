"""Pages of service level objectives."""
