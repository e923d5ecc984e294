"""Metrics of the host and of the container that an application runs in, told by one process of each host."""
