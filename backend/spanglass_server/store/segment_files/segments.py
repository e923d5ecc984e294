"""Segments: Parquet files of one signal, written once and never changed.

Rows stand in the order in which they came, which keeps a trace's spans together, in blocks of one row group; within a
block they are sorted by service and name, so that most of a scan's vectors hold one service and can be skipped
(``row_order``). How columns are written says ``encodings``.

Beside it lies a *projection*, a second file with the few columns of every question about services and operations,
sorted by service throughout: percentiles by operation of one service then read a tenth of the rows (20 -> 7 ms over a
million spans) for 8 bytes a span. Sorting the segment itself so would scatter every trace over all its row groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.signals import ROLLUPS, TIME_COLUMN, Signal
from spanglass_server.store.minute_counts import MOST_MINUTES, MinuteCounts
from spanglass_server.store.segment_files.encodings import write_options
from spanglass_server.store.segment_files.row_order import alike_columns, block_in_order, projection_in_order
from spanglass_server.store.segment_files.trace_filter import MINUTE_NS, TraceFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from spanglass_server.store.disk import Disk
    from spanglass_server.store.ports import Window

ROW_GROUP_ROWS = 16_384

_ERROR = 2  # a status
_NONE = np.empty(0, np.int64)

#: Folders of the data directory that hold records, and nothing else.
RECORD_FOLDERS = ("segments", "projections")

#: Columns of a signal's projection; a relation that needs no others is read from it.
PROJECTED = {
    Signal.SPANS: (
        *("resource.service.name:str", "name", "kind", "status_code", "start_time_ns", "duration_ns"),
        "span.spanglass.sampling.probability:double",  # where a sampler was at work; what it kept counts for more
    ),
}

#: Signals whose attributes are searched for: their segments get filters of values, unless they are small. Those are
#: merged soon, or are few.
FILTERED = (Signal.SPANS, Signal.LOGS)
FILTERED_ROWS = 4 * ROW_GROUP_ROWS


@dataclass(frozen=True, slots=True)
class Cover:
    """What a segment of rollups stands for: all points of ``start_ns < t <= end_ns``, and how many they were.

    t is in whole milliseconds.
    """

    start_ns: int
    end_ns: int
    source_rows: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, as the catalog knows it."""

    id: int
    signal: Signal
    file: str  # relative to the data directory
    rows: int
    bytes: int
    min_time_ns: int
    max_time_ns: int
    arrived_ns: int  # when its newest record was received
    columns: frozenset[str]  # every column it has
    trace_filter: TraceFilter | None = field(default=None, compare=False, repr=False)
    cover: Cover | None = None  # of rollups only
    minute_counts: MinuteCounts | None = field(default=None, compare=False, repr=False)  # of spans only

    @property
    def key(self) -> tuple[str, int]:
        """Its key as a part (``store.ports.Part``)."""
        return "segment", self.id

    @property
    def projection(self) -> str | None:
        """The projection's file, relative to the data directory; None if the signal has none."""
        return _projection_file(self.signal, self.id) if self.signal in PROJECTED else None

    @property
    def filter_file(self) -> str | None:
        """The file of its filter of values, relative to the data directory; None if it is to have none."""
        if self.signal not in FILTERED or self.rows < FILTERED_ROWS:
            return None
        return f"{self.file.removesuffix('.parquet')}.values"

    @property
    def files(self) -> tuple[str, ...]:
        """All files that the segment may have, relative to the data directory."""
        return tuple(file for file in (self.file, self.projection, self.filter_file) if file is not None)

    def columns_for(self, needed: Iterable[str]) -> frozenset[str]:
        """Which of the columns it has."""
        return self.columns.intersection(needed)

    def file_for(self, needed: Iterable[str]) -> str:
        """The file to read these columns from: the projection if it has them all."""
        if self.projection is not None and set(needed).issubset(PROJECTED[self.signal]):
            return self.projection
        return self.file

    def overlaps(self, window: Window) -> bool:
        """Whether a row may lie in the window."""
        return window.may_hold(self.min_time_ns, self.max_time_ns, self.arrived_ns)

    def trace_ranges(self, hashes: NDArray[np.uint64]) -> list[tuple[int, int, int]]:
        """Where records of traces may lie, see ``TraceFilter.ranges_of``; none if it has none of them."""
        if self.trace_filter is None:
            return []
        return self.trace_filter.ranges_of(hashes, self.min_time_ns, self.max_time_ns)


@dataclass(frozen=True, slots=True)
class NewSegment:
    """What is known of a segment before its rows are written."""

    id: int
    signal: Signal
    arrived_ns: int  # when its newest record was received
    cover: Cover | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files that writing it may begin, relative to the data directory."""
        main = f"segments/{self.signal}/{self.id:012d}.parquet"
        return (main, _projection_file(self.signal, self.id)) if self.signal in PROJECTED else (main,)


def write_segment(chunks: Iterable[Any], schema: Any, new: NewSegment, data_dir: Path, disk: Disk) -> Segment:
    """Write the rows of ``chunks`` (Arrow tables) as one segment, durable on return but not yet in any catalog.

    ``schema`` has every column of every chunk. Raises ``OSError`` when it can't be written; the caller then deletes
    ``new.files``, of which any may be there.
    """
    facts = _Facts(new.signal)
    paths = [data_dir / file for file in new.files]
    blocks = _blocks(chunks, schema)
    first = next(blocks)
    alike = alike_columns(first, new.signal)
    disk.make_directory(paths[0].parent)
    with disk.parquet(paths[0], first.schema, write_options(first, new.signal)) as writer:
        for block in chain([first], blocks):
            disk.write_table(writer, facts.seen(block_in_order(block, new.signal, alike)), ROW_GROUP_ROWS)
    if facts.projected:
        projection = projection_in_order(pa.concat_tables(facts.projected).unify_dictionaries(), new.signal)
        disk.make_directory(paths[1].parent)
        with disk.parquet(paths[1], projection.schema, write_options(projection, new.signal)) as writer:
            disk.write_table(writer, projection, ROW_GROUP_ROWS)
    for path in paths:
        disk.sync(path)
        for directory in (path.parent, path.parent.parent, data_dir):  # any of them may be new
            disk.sync(directory)
    return Segment(
        id=new.id,
        signal=new.signal,
        file=new.files[0],
        rows=facts.rows,
        bytes=sum(path.stat().st_size for path in paths),
        min_time_ns=facts.min_time_ns,
        max_time_ns=facts.max_time_ns,
        arrived_ns=new.arrived_ns,
        columns=one_of_each(frozenset(schema.names)),
        trace_filter=facts.trace_filter(),
        cover=new.cover,
        minute_counts=facts.minute_counts(),
    )


@lru_cache(maxsize=256)
def one_of_each(columns: frozenset[str]) -> frozenset[str]:
    """The same set for all segments that have these columns: one takes 10 kB, and there may be a thousand segments."""
    return columns


def _projection_file(signal: Signal, segment_id: int) -> str:
    return f"projections/{signal}/{segment_id:012d}.parquet"


class _Facts:
    """What the catalog wants to know of the rows, and the columns of the projection, gathered while they pass."""

    def __init__(self, signal: Signal) -> None:
        self._time = TIME_COLUMN[signal]
        self._hashes: list[NDArray[np.uint64]] | None = None if signal in {Signal.METRICS, *ROLLUPS} else []
        self._minutes: list[NDArray[np.int64]] | None = [] if signal is Signal.SPANS else None
        self._failed: list[NDArray[np.int64]] = []  # the minutes of those that failed
        self._projection = PROJECTED.get(signal, ())
        self.projected: list[Any] = []
        self.rows = 0
        self.min_time_ns = 2**63 - 1
        self.max_time_ns = 0

    def seen(self, block: Any) -> Any:
        self.rows += block.num_rows
        low, high = pc.min_max(block[self._time]).values()
        self.min_time_ns = min(self.min_time_ns, low.as_py())
        self.max_time_ns = max(self.max_time_ns, high.as_py())
        if self._hashes is not None and "trace_id" in block.column_names:
            self._hashes.append(TraceFilter.hashes(block["trace_id"]))
            if self._minutes is not None:  # every span has a trace id, so that both have one entry a row
                self._minutes.append(block[self._time].to_numpy() // MINUTE_NS)
                if "status_code" in block.column_names:
                    is_failed = pc.fill_null(pc.equal(block["status_code"], _ERROR), fill_value=False)
                    self._failed.append(self._minutes[-1][is_failed.to_numpy()])
        if self._projection:
            self.projected.append(block.select([name for name in self._projection if name in block.column_names]))
        return block

    def minute_counts(self) -> MinuteCounts | None:
        if not self._minutes:
            return None
        counts = MinuteCounts.of(np.concatenate(self._minutes), np.concatenate([*self._failed, _NONE]))
        return counts if len(counts.minutes) <= MOST_MINUTES else None

    def trace_filter(self) -> TraceFilter | None:
        if not self._hashes:
            return None
        hashes = np.concatenate(self._hashes)
        if self._minutes is not None:
            return TraceFilter.of_spans(hashes, np.concatenate(self._minutes))
        return TraceFilter.build(np.unique(hashes))


def merged_schema(schemas: Iterable[Any]) -> Any:
    """Every column of all schemas."""
    return pa.unify_schemas(list(schemas))


def _blocks(chunks: Iterable[Any], schema: Any) -> Iterator[Any]:
    """The rows in tables of one row group each, all with the whole schema."""
    waiting: list[Any] = []
    rows = 0
    for chunk in chunks:
        start = 0
        while start < chunk.num_rows:
            piece = chunk.slice(start, ROW_GROUP_ROWS - rows)
            start += piece.num_rows
            rows += piece.num_rows
            waiting.append(piece)
            if rows == ROW_GROUP_ROWS:
                yield _block(waiting, schema)
                waiting, rows = [], 0
    if waiting:
        yield _block(waiting, schema)


def _block(pieces: Sequence[Any], schema: Any) -> Any:
    """One table of all columns, by whole-table calls: each waits for the interpreter's lock behind the decoder."""
    table = pa.concat_tables([schema.empty_table(), *pieces], promote_options="default")
    return table.unify_dictionaries().combine_chunks()
