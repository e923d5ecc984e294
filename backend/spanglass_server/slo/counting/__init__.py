"""Good and bad events of objectives by the minute: counted from spans and checks, kept, and given as series."""
