"""Routes about service level objectives."""
