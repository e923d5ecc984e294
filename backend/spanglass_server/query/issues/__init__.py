"""What is asked of stored occurrences of exceptions, with what the issue store knows of them."""
