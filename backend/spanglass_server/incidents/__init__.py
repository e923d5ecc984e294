"""Incidents: alerts that belong together, what people do about them, and how long it took."""
