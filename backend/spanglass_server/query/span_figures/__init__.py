"""Counts, errors and latency of spans by service, operation and time, in columns of memory, without SQL."""
