"""Coverage: which families of telemetry services and hosts send, and which are missing."""
