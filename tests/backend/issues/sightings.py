"""Sightings as the deriver makes them, for tests."""

from __future__ import annotations

from spanglass_server.issues.model import Sighting

SERVICE = "checkout"


def seen(key: int, first_ns: int = 100, last_ns: int | None = None, **fields) -> Sighting:
    """Make a sighting of a key."""
    known = {
        "service": SERVICE,
        "title": f"ValueError: {key}",
        "type": "ValueError",
        "message": str(key),
        "culprit": "Stock.take",
        "version": 1,
        "inputs": (("type", "ValueError"), ("frame", f"shop.f{key}")),
    }
    return Sighting(key=key, first_ns=first_ns, last_ns=first_ns if last_ns is None else last_ns, **(known | fields))
