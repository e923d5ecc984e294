"""Secrets leave the telemetry before the telemetry leaves the process: exporters around the real ones."""
