"""Commands that take telemetry out of a server, and put it into one."""
