"""Every question that can be asked of stored telemetry."""
