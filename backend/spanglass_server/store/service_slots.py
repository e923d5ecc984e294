"""The colour slot of each service, chosen once and kept in the catalog, so that a service looks the same for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from spanglass_server.store.catalog import Change

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.store.catalog import Catalog

#: More services than this, or longer names, have the slot of their name's hash and take no memory.
MAX_SERVICES: Final = 10_000
MAX_NAME_CHARACTERS: Final = 256
#: How many service colours the visual system has.
SLOT_COUNT = 10

_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193


class ServiceSlots:
    """Slots by service, for any thread. New ones are in force at once, and durable with the next ``save``."""

    def __init__(self, catalog: Catalog, max_services: int = MAX_SERVICES) -> None:
        self._catalog = catalog
        self._max_services = max_services
        self._lock = threading.Lock()
        self._slots = catalog.service_slots()
        self._unsaved: dict[str, int] = {}

    def slot(self, name: str) -> int:
        """Return the slot of a service, 0 to 9; one that is seen for the first time is given one."""
        known = self._slots.get(name)
        if known is not None:
            return known
        if len(name) > MAX_NAME_CHARACTERS:
            return service_slot(name)
        with self._lock:
            known = self._slots.get(name)  # another thread may have been first
            if known is not None:
                return known
            if len(self._slots) >= self._max_services:
                return service_slot(name)
            chosen = choose_slot(name, set(self._slots.values()))
            self._slots[name] = self._unsaved[name] = chosen
            return chosen

    def save(self) -> None:
        """Store what was chosen since the last call. If that fails, the next call tries again."""
        with self._lock:
            new, self._unsaved = self._unsaved, {}
        if not new:
            return
        try:
            self._catalog.commit(Change(service_slots=new))
        except BaseException:
            with self._lock:
                self._unsaved |= new
            raise


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
