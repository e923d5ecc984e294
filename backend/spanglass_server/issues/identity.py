"""Ids of issues and keys of overflow issues: pure."""

from __future__ import annotations

import hashlib
import re

_OTHERS = re.compile(r"[^A-Z0-9]+")
_LONGEST = 24


def id_prefix(service: str) -> str:
    """Return what a service's issue ids begin with: ``CHECKOUT`` of ``CHECKOUT-12``."""
    return _OTHERS.sub("-", service.upper()).strip("-")[:_LONGEST].strip("-") or "ISSUE"


def overflow_key(service: str) -> int:
    """Return the key under which a full service's further exceptions are kept, signed 64 bits."""
    digest = hashlib.blake2b(b"overflow\0" + service.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def overflow_title(service: str, max_issues: int) -> str:
    """Say what an overflow issue is."""
    return (
        f"Further exceptions of {service or 'a service without a name'}: it has {max_issues} issues, as many as the "
        "setting issues.max_issues allows"
    )
