"""Answers in Prometheus' JSON."""
