"""All services, one of them, and why it is slow or fails."""
