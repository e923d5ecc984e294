"""What the benchmarks share: made-up telemetry, senders, the server under test, and the reading of its process."""
