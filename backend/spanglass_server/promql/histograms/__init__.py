"""What PromQL computes of histograms, native and classic, in columns."""
