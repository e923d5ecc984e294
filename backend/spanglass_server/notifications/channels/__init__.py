"""Channels: the kinds there are, how each is written, and how it delivers a message."""
