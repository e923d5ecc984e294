"""The server's own figures: what is measured, and how they are shown."""
