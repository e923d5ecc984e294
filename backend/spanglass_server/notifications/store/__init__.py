"""Where groups, the outbox, the log of attempts, silences and used links are kept."""
