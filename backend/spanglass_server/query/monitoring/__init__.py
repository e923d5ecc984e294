"""Measurements by kind: data points and requests in the one flat form of ``monitoring_metrics``."""
