"""Pages of hosts and their processes."""
