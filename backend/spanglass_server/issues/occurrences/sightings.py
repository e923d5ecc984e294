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


class Sightings:
    """Collects sightings; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[int, str, str], Sighting] = {}
        self._last_ns: dict[tuple[int, str, str], int] = {}  # of those that came again: most do, and in order

    def see(self, key: int, one: Told, found: Fingerprint) -> None:
        """Take an exception of a key."""
        place = (key, one.release, one.environment)
        with self._lock:
            seen = self._seen.get(place)
            if seen is None or one.time_ns < seen.first_ns:
                self._add(_sighting(key, one, found))
            elif one.time_ns > self._last_ns.get(place, seen.last_ns):
                self._last_ns[place] = one.time_ns

    def put_back(self, sightings: Iterable[Sighting]) -> None:
        """Keep sightings that could not be told for the next time."""
        with self._lock:
            for old in sightings:
                self._add(old)

    def _add(self, new: Sighting) -> None:
        place = (new.key, new.release, new.environment)
        old = self._seen.get(place)
        self._seen[place] = new if old is None else _joined(old, new)

    def has_news(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._seen)

    def take(self) -> list[Sighting]:
        """Return what was seen since the last call."""
        with self._lock:
            taken, self._seen = self._seen, {}
            last_ns, self._last_ns = self._last_ns, {}
        return [
            replace(sighting, last_ns=max(sighting.last_ns, last_ns.get(place, 0))) for place, sighting in taken.items()
        ]


def _sighting(key: int, one: Told, found: Fingerprint) -> Sighting:
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
        last_ns=one.time_ns,
        release=one.release,
        environment=one.environment,
    )


def _joined(old: Sighting, new: Sighting) -> Sighting:
    """Return one sighting of both, in the words of the earlier."""
    first = new if new.first_ns < old.first_ns else old
    return replace(first, last_ns=max(old.last_ns, new.last_ns))
