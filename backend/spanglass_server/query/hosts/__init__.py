"""Hosts and processes, from what our instrumentation and the Collector's host metrics send of them."""
