"""What is asked of stored occurrences of exceptions."""
