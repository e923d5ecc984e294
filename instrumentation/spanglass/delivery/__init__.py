"""From the SDK's providers to the server, without ever holding the application up: queues, sending, spool, counts."""
