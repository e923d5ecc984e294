"""Names of OpenTelemetry's SDK and API that have no public form. They stand here and nowhere else."""
