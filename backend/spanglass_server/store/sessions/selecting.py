"""Which segments and chunks of a snapshot a question is about, and what can be said of them without reading rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.signals import TIME_COLUMN, AttributeColumn, Signal
from spanglass_server.store.ports import Window
from spanglass_server.store.segment_files.trace_filter import MINUTE_NS, TraceFilter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from spanglass_server.store.contents import Chunk, Snapshot
    from spanglass_server.store.segment_files.segments import Segment


def segments_in(snapshot: Snapshot, signal: Signal, window: Window) -> list[Segment]:
    """The segments that may have rows in a window."""
    start_ns, end_ns, arrived_ns = window.start_ns, window.end_ns, window.arrived_ns
    return [  # ``Segment.overlaps``, without 0.2 microseconds of calls for each of a thousand segments
        s
        for s in snapshot.segments[signal]
        if s.min_time_ns < end_ns and s.max_time_ns >= start_ns and s.arrived_ns >= arrived_ns
    ]


def chunks_in(snapshot: Snapshot, signal: Signal, window: Window) -> list[Chunk]:
    """The chunks that may have rows in a window."""
    return [chunk for chunk in snapshot.chunks[signal] if chunk.overlaps(window)]


def matching_segments(
    snapshot: Snapshot, signal: Signal, window: Window, require: Collection[str], trace_ids: Collection[bytes]
) -> Iterator[Segment]:
    """The segments that may have a row with one of the columns, and of one of the traces; none given asks for none."""
    hashes = TraceFilter.hashes_of(trace_ids)
    for segment in segments_in(snapshot, signal, window):
        if require and not segment.columns.intersection(require):
            continue
        if trace_ids and not segment.trace_ranges(hashes):
            continue
        yield segment


def columns_in(snapshot: Snapshot, signal: Signal, window: Window) -> Mapping[str, int]:
    """The columns of attributes, and of what was too much for these, with the rows of the parts that have them."""
    rows: Counter[str] = Counter()
    alike: Counter[frozenset[str]] = Counter()
    for segment in segments_in(snapshot, signal, window):
        alike[segment.columns] += segment.rows
    for names, count in alike.items():  # a thousand segments have a few sets of columns
        for name in names:
            rows[name] += count
    for chunk in chunks_in(snapshot, signal, window):
        for name in chunk.table.column_names:
            rows[name] += chunk.table.num_rows
    return {name: count for name, count in rows.items() if AttributeColumn.parse(name) or name.startswith("overflow")}


def windows_of_traces(snapshot: Snapshot, trace_ids: Collection[bytes], inside: Window) -> set[tuple[bytes, Window]]:
    """When spans of traces may have started, those of a window at least; exact to the minute."""
    ids = list(trace_ids)
    hashes = TraceFilter.hashes_of(ids)
    found: set[tuple[bytes, Window]] = set()
    for segment in segments_in(snapshot, Signal.SPANS, inside):
        for place, *window in segment.trace_ranges(hashes):
            found.add((ids[place], Window(*window)))
    wanted = pa.array(ids, pa.binary())
    for chunk in chunks_in(snapshot, Signal.SPANS, inside):
        rows = chunk.table.select(["trace_id", TIME_COLUMN[Signal.SPANS]])
        rows = rows.filter(pc.is_in(rows["trace_id"], value_set=wanted))
        starts = (column.to_pylist() for column in rows.columns)
        found.update((trace_id, _minute(start_ns // MINUTE_NS)) for trace_id, start_ns in zip(*starts, strict=True))
    return found


def covered(snapshot: Snapshot, rollups: Signal, *, outdated: bool) -> list[Window]:
    """The times that rollups stand for; ``outdated`` with those that came too late for."""
    left_out = snapshot.outdated
    if left_out is None and not outdated:
        return []
    covers = sorted(
        (segment.cover.start_ns, segment.cover.end_ns)
        for segment in snapshot.segments[rollups]
        if segment.cover is not None and (outdated or segment.cover.start_ns not in (left_out or ()))
    )
    return [Window(*cover) for cover in covers]


def _minute(number: int) -> Window:
    return Window(number * MINUTE_NS, (number + 1) * MINUTE_NS)
