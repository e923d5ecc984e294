"""Routes about dashboards."""
