"""One attempt to deliver: where to, how, and how it ended."""
