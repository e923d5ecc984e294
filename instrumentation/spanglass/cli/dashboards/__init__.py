"""The command about dashboards."""
