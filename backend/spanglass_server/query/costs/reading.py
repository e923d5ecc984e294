"""What segments take, by column and by service, from their footers and one column: no other data is read.

Both are kept for each segment. Bytes of a segment that is only partly in the range count by the part of its time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.store.ports import Part, QuerySession, Window

#: Bytes that a name and a number take in memory, roughly.
_ENTRY: Final = 120
_SERVICE_COLUMNS: Final = {Signal.OCCURRENCES: "service_name"}


def _zeros() -> defaultdict[str, float]:
    return defaultdict(float)


@dataclass(slots=True)
class Weighed:
    """What a signal takes: ``stored`` bytes of all times, the rest of the range alone."""

    signal: Signal
    stored: int = 0
    bytes: float = 0.0
    records: float = 0.0
    columns: defaultdict[str, float] = field(default_factory=_zeros)
    records_of: defaultdict[str, float] = field(default_factory=_zeros)
    bytes_of: defaultdict[str, float] = field(default_factory=_zeros)
    parts: list[Part] = field(default_factory=list)


def weigh(session: QuerySession, signal: Signal, window: Window) -> Weighed:
    """Add up the segments of a signal; bytes of services are their parts of the records of each segment."""
    found = Weighed(signal)
    for part in session.parts(signal, ALL_TIME):
        if not part.bytes:
            continue
        found.stored += part.bytes
        share = _share(part, window)
        if share <= 0:
            continue
        found.parts.append(part)
        found.bytes += part.bytes * share
        found.records += part.rows * share
        for name, size in _columns(session, part).items():
            found.columns[name] += size * share
        for service, records in _services(session, part).items():
            found.records_of[service] += records * share
            found.bytes_of[service] += part.bytes * share * records / part.rows
    return found


def _share(part: Part, window: Window) -> float:
    first, after = max(part.min_time_ns, window.start_ns), min(part.max_time_ns + 1, window.end_ns)
    return max(0, after - first) / (part.max_time_ns + 1 - part.min_time_ns)


def _columns(session: QuerySession, part: Part) -> Mapping[str, int]:
    return session.kept.kept(
        ("bytes of columns", part.key), lambda: session.column_bytes(part), lambda found: _ENTRY * len(found)
    )


def _services(session: QuerySession, part: Part) -> Mapping[str, int]:
    return session.kept.kept(
        ("records of services", part.key), lambda: _count(session, part), lambda found: _ENTRY * (len(found) + 1)
    )


def _count(session: QuerySession, part: Part) -> Mapping[str, int]:
    name = _SERVICE_COLUMNS.get(part.signal, SERVICE)
    counts: Counter[str] = Counter()
    if name not in part.columns:
        counts[service_name(None)] = part.rows
        return counts
    for entry in pc.value_counts(_plain(session.part_table(part, [name])[name])).to_pylist():
        counts[service_name(entry["values"])] += entry["counts"]
    return counts


def _plain(column: Any) -> Any:
    """The column as one array, so that one dictionary numbers its texts."""
    joined = column.unify_dictionaries().combine_chunks() if pa.types.is_dictionary(column.type) else column
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) and joined.num_chunks == 1 else joined
