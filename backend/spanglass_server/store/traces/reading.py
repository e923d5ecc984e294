"""All rows of some traces, out of the segments and chunks of a snapshot."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyarrow as pa

from spanglass_server.store.ports import Window
from spanglass_server.store.segment_files.trace_filter import TraceFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from spanglass_server.signals import Signal
    from spanglass_server.store.contents import Chunk, Snapshot
    from spanglass_server.store.ports import OfTraces
    from spanglass_server.store.segment_files.segments import Segment

    #: Reads the rows that are wanted in a segment; all of them begin in the windows.
    ReadSegment = Callable[[Segment, Sequence[Window]], Iterable[pa.Table]]
    #: Finds the rows that are wanted in a chunk, None if it has none.
    FindInChunk = Callable[[Chunk], pa.Table | None]
    #: See ``TraceFilter.ranges_of``.
    Ranges = Sequence[tuple[int, int, int]]

#: Of more columns than this, answers have every other one first.
_INTERLEAVED_FROM = 16


def read_traces(
    snapshot: Snapshot,
    signal: Signal,
    window: Window,
    wanted: OfTraces,
    read_segment: ReadSegment,
    find_in_chunk: FindInChunk,
) -> pa.Table:
    """See ``QuerySession.trace_rows``."""
    hashes = TraceFilter.hashes_of(wanted.trace_ids)
    tables: list[pa.Table] = []
    names: dict[str, None] = {}
    near = [each for each in snapshot.segments[signal] if each.overlaps(window) and _has_any(each.columns, wanted)]
    for segment, ranges in _in_order([(each, each.trace_ranges(hashes)) for each in near]):
        names.update(dict.fromkeys(_interleaved(segment.columns)))
        tables += read_segment(segment, [Window(*held).within(window) for _, *held in ranges])
    for chunk in snapshot.chunks[signal]:
        if chunk.overlaps(window) and _has_any(chunk.table.column_names, wanted):
            found = find_in_chunk(chunk)
            if found is not None:
                names.update(dict.fromkeys(chunk.table.column_names))
                tables.append(found)
    if not tables:
        return pa.table({})
    joined = pa.concat_tables(tables, promote_options="permissive") if len(tables) > 1 else tables[0]
    present = set(joined.column_names)
    return joined.select([name for name in names if name in present])


def _in_order(found: Iterable[tuple[Segment, Ranges]]) -> Iterator[tuple[Segment, Ranges]]:
    """Yield the segments that may have a row: those of the same columns together, each by its file."""
    by_columns: dict[frozenset[str], list[tuple[Segment, Ranges]]] = defaultdict(list)
    for segment, ranges in found:
        if ranges:
            by_columns[segment.columns].append((segment, ranges))
    for alike in by_columns.values():
        yield from sorted(alike, key=lambda pair: pair[0].file)


def _has_any(columns: Iterable[str], wanted: OfTraces) -> bool:
    """Whether rows with these columns may have one that is required."""
    return not wanted.require or not set(wanted.require).isdisjoint(columns)


def _interleaved(columns: Collection[str]) -> list[str]:
    """Columns in the order in which ``Lookup.rows`` has them too: attributes in OTLP/JSON stand in it."""
    names = sorted(columns)
    return names if len(names) < _INTERLEAVED_FROM else [*names[::2], *names[1::2]]
