"""The file of anomalies: what was told, and what people say of it."""
