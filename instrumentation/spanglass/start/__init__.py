"""Starting and stopping on the application's side: the ways in, and what is put together."""
