"""Routes about anomalies."""
