"""Monitoring by the application itself: rules, alerts, resources, metrics, and reports of all of it."""
