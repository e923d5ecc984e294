"""The colour slot of a service, the same on every page and in every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

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


def choose_slot(name: str, taken: Collection[int]) -> int:
    """Choose a slot for a new service: its own, or the next that no other has, or its own when none is free."""
    own = service_slot(name)
    following = ((own + step) % SLOT_COUNT for step in range(SLOT_COUNT))
    return next((slot for slot in following if slot not in taken), own)
