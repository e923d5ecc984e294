"""Stored rows as the API shows them, and as OTLP/JSON."""
