"""Recording rules of Prometheus' files: expressions whose results are kept as series."""
