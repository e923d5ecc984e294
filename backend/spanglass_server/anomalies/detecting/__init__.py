"""Detection: what is usual of series by their past, how surprising values are, when an anomaly begins and ends."""
