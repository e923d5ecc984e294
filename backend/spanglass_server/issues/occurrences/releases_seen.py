"""Which releases of which services send anything: those without errors count too, as the next release."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.issues.model import ReleaseSighting
from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.signals import TIME_COLUMN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from spanglass_server.signals import Signal

_RELEASE = "resource.service.version:str"
_ENVIRONMENTS = ("resource.deployment.environment.name:str", "resource.deployment.environment:str")
#: A sender that makes up a version for each process does not fill the store.
_RELEASES_MAX = 1000  # of a service
#: How much later a release must be seen again to be told again.
_AGAIN_AFTER_NS = 60 * 10**9
_INT64 = np.iinfo(np.int64)


class ReleasesSeen:
    """Collects sightings of releases; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str, str], int] = {}
        self._releases: Counter[str] = Counter()
        self._seen: dict[tuple[str, str, str], ReleaseSighting] = {}

    def see(self, signal: Signal, table: Any) -> None:
        """Take the releases of a table of records."""
        if _RELEASE not in table.column_names or table[_RELEASE].null_count == table.num_rows:
            return
        with self._lock:
            for sighting in _sightings(signal, table):
                self._add(sighting)

    def _add(self, new: ReleaseSighting) -> None:
        place = (new.service, new.release, new.environment)
        told_ns = self._told.get(place)
        if told_ns is None and place not in self._seen:
            if self._releases[new.service] >= _RELEASES_MAX:
                return
            self._releases[new.service] += 1
        elif told_ns is not None and new.last_ns < told_ns + _AGAIN_AFTER_NS:
            return
        old = self._seen.get(place, new)
        first_ns, last_ns = min(old.first_ns, new.first_ns), max(old.last_ns, new.last_ns)
        self._seen[place] = ReleaseSighting(new.service, new.release, first_ns, last_ns, new.environment)

    def has_news(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._seen)

    def take(self) -> list[ReleaseSighting]:
        """Return what was not told before."""
        with self._lock:
            taken, self._seen = self._seen, {}
            self._told.update((place, sighting.last_ns) for place, sighting in taken.items())
        return list(taken.values())

    def put_back(self, sightings: Iterable[ReleaseSighting]) -> None:
        """Keep sightings that could not be told for the next time."""
        with self._lock:
            for old in sightings:
                place = (old.service, old.release, old.environment)
                self._told.pop(place, None)
                self._seen.setdefault(place, old)


def _sightings(signal: Signal, table: Any) -> Iterator[ReleaseSighting]:
    """One of each group, found by the numbers of its texts: records of one resource stand side by side."""
    names = [name for name in (SERVICE, _RELEASE, *_ENVIRONMENTS) if name in table.column_names]
    encoded = {name: _encoded(table[name]) for name in names}
    joined = np.zeros(table.num_rows, np.int64)
    for codes, texts in encoded.values():
        if int(joined.max(initial=0)) > _INT64.max // (len(texts) + 2):  # far more texts than senders have
            joined = np.unique(joined, return_inverse=True)[1]
        joined = joined * (len(texts) + 1) + codes + 1
    starts = np.flatnonzero(np.append(True, joined[1:] != joined[:-1]))
    times = table[TIME_COLUMN[signal]].to_numpy()
    _, places, run_of = np.unique(joined[starts], return_index=True, return_inverse=True)
    first_ns, last_ns = np.full(len(places), _INT64.max), np.full(len(places), _INT64.min)
    np.minimum.at(first_ns, run_of, np.minimum.reduceat(times, starts))
    np.maximum.at(last_ns, run_of, np.maximum.reduceat(times, starts))
    for place, first, last in zip(starts[places].tolist(), first_ns.tolist(), last_ns.tolist(), strict=True):
        row = {name: texts[codes[place]] if codes[place] >= 0 else "" for name, (codes, texts) in encoded.items()}
        if row[_RELEASE]:
            environment = next((row[name] for name in _ENVIRONMENTS if row.get(name)), "")
            yield ReleaseSighting(service_name(row.get(SERVICE)), row[_RELEASE], first, last, environment)


def _encoded(column: Any) -> tuple[NDArray[np.int64], list[str]]:
    """A number for each text of a column, -1 for none, and the texts by their numbers."""
    values = column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    values = pa.concat_arrays(values.chunks)
    return values.indices.fill_null(-1).to_numpy().astype(np.int64), values.dictionary.to_pylist()
