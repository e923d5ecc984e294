"""Rule files of Prometheus: groups of alerting and recording rules."""
