"""``spanglass run --open``: a server if there is none, the program, and the page of its first request."""
