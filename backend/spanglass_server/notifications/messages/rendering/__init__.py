"""Templates of messages: those that come with the server, and those that people write, in a sandbox."""
