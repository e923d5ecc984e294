"""Pages of users and what they use, of background tasks and queues."""
