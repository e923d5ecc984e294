"""From notifications in the outbox to messages that arrived: workers, attempts, and what is done where they fail."""
