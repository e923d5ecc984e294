"""Pages of metrics: all of them, one of them, and any PromQL."""
