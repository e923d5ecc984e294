"""Anomalies: what is unusual for its time in operations, metrics and log patterns; kept, with what differs."""
