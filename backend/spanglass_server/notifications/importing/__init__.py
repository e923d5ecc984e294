"""Files of Prometheus' Alertmanager: taken over into our form, or checked."""
