"""Alertmanager's HTTP API, for its clients: Prometheus, amtool, and programs that post alerts or show silences."""
