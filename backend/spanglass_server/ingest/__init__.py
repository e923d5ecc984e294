"""From OTLP bytes to columns: decode, check, journal, shred."""
