"""Traces, spans and services."""
