"""The HTTP API: tables of routes, and the frame that serves and describes them."""
