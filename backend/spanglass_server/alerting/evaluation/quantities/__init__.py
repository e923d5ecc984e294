"""Quantities of conditions as PromQL: measures, metrics by name, spans and log records, PromQL itself."""
