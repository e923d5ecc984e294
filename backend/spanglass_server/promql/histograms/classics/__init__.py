"""Classic histograms: series of buckets by ``le``."""
