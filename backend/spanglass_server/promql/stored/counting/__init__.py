"""Spans and log records as series of Prometheus, counted when they are asked for."""
