"""What telemetry takes on disk and costs, by signal, service and attribute, and what to drop."""
