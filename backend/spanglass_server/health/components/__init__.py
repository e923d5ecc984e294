"""How components are: from checks, from applications, from other telemetry, and of the whole."""
