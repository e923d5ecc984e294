"""Running the server's checks on schedule, and telling what came out."""
