"""Routing, with the meaning that Prometheus' Alertmanager gives it: pure functions, which are given alerts and time."""
