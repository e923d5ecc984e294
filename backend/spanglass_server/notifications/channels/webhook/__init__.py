"""Webhooks: alerts as JSON to any address, in our form with a signature, or in that of Prometheus' Alertmanager."""
