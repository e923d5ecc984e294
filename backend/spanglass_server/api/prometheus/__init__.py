"""Prometheus' HTTP API over what is stored, so that its clients and Grafana work unchanged."""
