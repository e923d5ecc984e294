"""The colour slot of a service, the same on every page and in every process."""

from __future__ import annotations

#: How many service colours the visual system has.
SLOT_COUNT = 10

_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193


def service_slot(name: str) -> int:
    """Give a service's slot, 0 to 9: FNV-1a (32 bit) of the name in UTF-8, modulo ten."""
    digest = _FNV_OFFSET
    for byte in name.encode():
        digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return digest % SLOT_COUNT
