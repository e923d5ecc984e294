"""Connections that the server opens to addresses which people typed: which are allowed, and limits."""
