"""Scenarios of what people feel: fresh data, small requests, the demo's load."""
