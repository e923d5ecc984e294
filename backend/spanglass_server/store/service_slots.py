"""The colour slot of each service, chosen once and kept in the catalog, so that a service looks the same for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from spanglass_core.slots import choose_slot, service_slot
from spanglass_server.store.catalog import Change

if TYPE_CHECKING:
    from spanglass_server.store.catalog import Catalog

#: More services than this, or longer names, have the slot of their name's hash and take no memory.
MAX_SERVICES: Final = 10_000
MAX_NAME_CHARACTERS: Final = 256


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
        """Store what was chosen since the last call. Raises ``OSError`` if that fails; the next call tries again."""
        with self._lock:
            new, self._unsaved = self._unsaved, {}
        if not new:
            return
        try:
            self._catalog.commit(Change(service_slots=new))
        except OSError:
            with self._lock:
                self._unsaved |= new
            raise
