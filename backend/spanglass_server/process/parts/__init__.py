"""What the process is put together from: a module for each duty of the server."""
