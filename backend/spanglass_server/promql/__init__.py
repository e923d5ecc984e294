"""PromQL over what is stored: parsing, evaluation in columns, and stored points as Prometheus' series."""
