"""Metrics of databases and of the pools of connections to them; which of their calls are slow."""
