"""Where dashboards come from."""
