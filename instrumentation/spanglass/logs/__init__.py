"""The application's own logs, of stdlib logging, loguru and structlog, as OpenTelemetry log records."""
