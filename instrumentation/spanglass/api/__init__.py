"""The manual API, thin over OpenTelemetry's: every call is a no-op until somebody sets providers."""
