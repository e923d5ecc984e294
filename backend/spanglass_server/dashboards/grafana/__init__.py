"""Dashboards of Grafana, as far as they can be taken over, and what of them can't."""
