"""From alerts to notifications in the outbox: what is decided, and what the history says of what became of them."""
