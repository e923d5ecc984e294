"""OTLP's metrics and attributes under the names of Prometheus."""
