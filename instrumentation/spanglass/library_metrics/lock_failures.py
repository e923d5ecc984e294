"""Which errors of databases mean that somebody else held a lock."""

from __future__ import annotations

#: Words of the error's type or message, in lower case, and what they mean. The first that is found counts.
_SIGNS = (
    ("deadlock", "deadlock"),
    ("locknotavailable", "lock_not_available"),
    ("could not obtain lock", "lock_not_available"),
    ("due to lock timeout", "lock_timeout"),
    ("lock wait timeout", "lock_timeout"),
    ("database is locked", "locked"),
    ("database table is locked", "locked"),
    ("could not serialize access", "serialization_failure"),
)


def lock_failure(error: str) -> str | None:
    """Name the kind of lock failure that an error's type and message tell of; None if it is about something else."""
    text = error.lower()
    return next((meaning for sign, meaning in _SIGNS if sign in text), None)
