"""The server as a process: the command, the composition root, health, the data directory's lock."""
