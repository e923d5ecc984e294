"""Who sends: service, release, resource."""
