"""Routes about what is done with applications: users, sessions and features; background tasks and queues."""
