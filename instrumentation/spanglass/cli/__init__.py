"""The ``spanglass`` command line: a client of the HTTP API, and the door to commands of installed errors."""
