"""Commands that ask the server for telemetry."""
