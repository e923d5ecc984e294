"""From alerts to messages that arrived: what is decided, the outbox, its workers, and what the history says of it."""
