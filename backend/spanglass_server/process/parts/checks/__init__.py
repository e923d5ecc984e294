"""Health of the system: checks, its routes, and the heartbeat of this server."""
