"""The colour slot of each service, chosen once and kept in the catalog, so that a service looks the same for ever."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Final

from spanglass_server.store.segment_files.catalog import Change

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.store.segment_files.catalog import Catalog

#: More services than this, or longer names, have the slot of their name's hash and take no memory.
MAX_SERVICES: Final = 10_000
MAX_NAME_CHARACTERS: Final = 256
#: The service colours of the visual system (``--s0`` to ``--s9``), light and dark: which ones look alike.
COLOURS: Final = (
    ("843903", "c7723a"), ("007696", "93cdf9"), ("9778d5", "a9a4fd"), ("0a6e4c", "56b476"), ("7a5c02", "ddb24d"),
    ("4745ab", "9987de"), ("1d9790", "49c4c5"), ("733b69", "c77faa"), ("845dbc", "8874ab"), ("799627", "bad189"),
)  # fmt: skip
SLOT_COUNT: Final = len(COLOURS)

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

    def has_news(self) -> bool:
        """Whether ``save`` has anything to store."""
        return bool(self._unsaved)

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
    """Return a service's slot, 0 to 9: FNV-1a (32 bit) of the name in UTF-8, modulo ten."""
    digest = _FNV_OFFSET
    for byte in name.encode():
        digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return digest % SLOT_COUNT


def choose_slot(name: str, taken: Collection[int]) -> int:
    """Choose a slot for a new service: its own where none or all are taken, else the free one least like those.

    Least like is what is farthest from the nearest colour that is taken, in the theme in which they are nearer; of
    two as far the one that comes first after the service's own.
    """
    own = service_slot(name)
    used = {slot for slot in taken if slot < SLOT_COUNT}
    free = [slot for slot in ((own + step) % SLOT_COUNT for step in range(SLOT_COUNT)) if slot not in used]
    if not used or not free:
        return own
    return max(free, key=lambda slot: min(_DISTANCES[slot][other] for other in used))


def _distance(one: str, other: str) -> float:
    """Return how different two colours (``rrggbb``) look: their distance in OKLab."""
    return math.dist(_oklab(one), _oklab(other))


def _oklab(colour: str) -> tuple[float, float, float]:
    """Convert a colour of sRGB (Björn Ottosson's matrices of 2021)."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (0, 2, 4))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB's transfer


_DISTANCES = [[min(_distance(*pair) for pair in zip(one, other, strict=True)) for other in COLOURS] for one in COLOURS]
