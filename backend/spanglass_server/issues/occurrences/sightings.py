"""What is seen of each key, release and environment, until the issue store is told."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_core.grouping.fingerprint import title_of
from spanglass_server.issues.model import Sighting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_core.grouping.fingerprint import Fingerprint
    from spanglass_server.issues.occurrences.told import Told

#: Characters of a message that are kept of an occurrence and an issue; the record has all of it.
MESSAGE_MAX = 500

_Place = tuple[int, str, str]  # key, release, environment


class Sightings:
    """Collects sightings; thread-safe. Their texts are made when they are taken: many exceptions are one sighting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: dict[_Place, tuple[Told, Fingerprint]] = {}  # the earliest of each
        self._last_ns: dict[_Place, int] = {}
        self._back: list[Sighting] = []

    def see(self, key: int, one: Told, found: Fingerprint) -> None:
        """Take an exception of a key."""
        place = (key, one.release, one.environment)
        with self._lock:
            known = self._first.get(place)
            if known is None or one.time_ns < known[0].time_ns:
                self._first[place] = one, found
            if one.time_ns > self._last_ns.get(place, 0):
                self._last_ns[place] = one.time_ns

    def put_back(self, sightings: Iterable[Sighting]) -> None:
        """Keep sightings that could not be told for the next time."""
        with self._lock:
            self._back += sightings

    def has_news(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._first or self._back)

    def take(self) -> list[Sighting]:
        """Return what was seen since the last call."""
        with self._lock:
            first, self._first = self._first, {}
            last_ns, self._last_ns = self._last_ns, {}
            back, self._back = self._back, []
        taken: dict[_Place, Sighting] = {}
        new = (_sighting(place[0], *of, last_ns.get(place, of[0].time_ns)) for place, of in first.items())
        for one in (*back, *new):
            place = (one.key, one.release, one.environment)
            old = taken.get(place)
            taken[place] = one if old is None else _joined(old, one)
        return list(taken.values())


def _sighting(key: int, one: Told, found: Fingerprint, last_ns: int) -> Sighting:
    message = one.message or found.message
    return Sighting(
        key=key,
        service=one.service,
        title=title_of(found.type, message),
        type=found.type,
        message=message[:MESSAGE_MAX],
        culprit=found.culprit,
        version=found.version,
        inputs=tuple((given.kind, given.value) for given in found.inputs),
        first_ns=one.time_ns,
        last_ns=last_ns,
        release=one.release,
        environment=one.environment,
    )


def _joined(old: Sighting, new: Sighting) -> Sighting:
    """Return one sighting of both, in the words of the earlier."""
    first = new if new.first_ns < old.first_ns else old
    return replace(first, last_ns=max(old.last_ns, new.last_ns))
