"""Text for people at a terminal: shared by the command line and the console tree."""
