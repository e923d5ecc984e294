"""Aggregations of series, and the exact sums and quantiles that windows need too."""
