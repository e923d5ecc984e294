"""The one error of settings."""

from __future__ import annotations


class SettingsError(ValueError):
    """A setting can't be used; the message gives its place and what to do. It never holds a secret."""
