"""Stored metric points as Prometheus' series, and spans and logs counted as such."""
