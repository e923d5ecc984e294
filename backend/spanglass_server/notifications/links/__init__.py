"""Signed links in messages: they do one thing, once, for a time, without a login."""
