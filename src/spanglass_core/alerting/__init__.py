"""Rules, their state machine, and what becomes of alerts: pure, for server and applications alike."""
