"""OpenTelemetry's SDK: its providers, their bounds, and what of it is replaced."""
