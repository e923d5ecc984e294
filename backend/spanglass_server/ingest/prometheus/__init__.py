"""Series of Prometheus: remote write's messages, 1.0 and 2.0, checked and turned into the columns of data points."""
