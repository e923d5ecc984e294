"""Health checks: those of the server, those that applications tell of, and what follows for components."""
