"""Segments: Parquet files of one signal, written once and never changed.

Rows stand in the order in which they came, which keeps a trace's spans together, in blocks of one row group; within a
block they are sorted by service and name, so that most of a scan's vectors hold one service and can be skipped. Spans
that failed stand before all others of their block: they are one of twenty, and a question about errors then reads one
vector of eight (errors of 1 M spans by service and type 22 -> 14 ms, and 1.5 % fewer bytes). Ids, times and durations
are written without a dictionary: nearly every value is new, and DuckDB 1.5.5 then scans 1 M spans twice as fast
(search 24 -> 12 ms) in 19 % fewer bytes.

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

_SORTED_BITS = 63  # of a whole number that is not negative
#: What rows of a block are sorted by before their time.
_SORT_COLUMNS = {
    # by instance, since what else a resource says follows from it: 0.5 to 1.4 bytes a span less
    Signal.SPANS: ("resource.service.name:str", "name", "resource.service.instance.id:str"),
    Signal.LOGS: ("resource.service.name:str", "severity_number"),
    Signal.METRICS: ("metric_name", "resource.service.name:str"),
    Signal.OCCURRENCES: ("issue_key",),
    **dict.fromkeys(ROLLUPS, ("metric_name", "resource.service.name:str")),
}
_UNIQUE = frozenset({"span_id", "parent_span_id", "link_span_id", "exemplar_span_id", "exemplar_trace_id"})
#: Signals of data points, a row group of which holds few metrics.
_POINTS = (Signal.METRICS, *ROLLUPS)
#: What stands first in a block, whatever its service: rows with this value of this column.
_FIRST = {Signal.SPANS: ("status_code", 2)}
#: How columns are compressed that are not judged. Nothing makes ids by chance smaller, nor differences in as many bits
#: as they need.
_COMPRESSION = {Signal.SPANS: {"span_id": "none", "start_time_ns": "none", "duration_ns": "none"}}
#: Of ids of spans the lengths, all equal, are written apart: 1.2 bytes a span less, and they are read in half the time.
_LENGTHS_APART = {Signal.SPANS: frozenset({"span_id", "parent_span_id"})}
_REPETITIVE_MAX = 32  # distinct values among the rows of a row group
#: Zstandard's: 0.3 bytes a span less than by 1, Arrow's default, in as much time.
_COMPRESSION_LEVEL = 3
_WRITTEN_TOGETHER = 4096  # values; a seventh less time than by 1024, Arrow's default
_FIRST_ROWS = 1024
_DELTA = frozenset(
    {"start_time_ns", "time_ns", "observed_time_ns", "record_time_ns", "duration_ns", "arrival_order", "record_order"}
)


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
    disk.make_directory(paths[0].parent)
    with disk.parquet(paths[0], first.schema, _write_options(first, new.signal)) as writer:
        for block in chain([first], blocks):
            in_order = _sorted(block, new.signal, _FIRST.get(new.signal))
            disk.write_table(writer, facts.seen(in_order), ROW_GROUP_ROWS)
    if facts.projected:
        projection = _sorted(pa.concat_tables(facts.projected).unify_dictionaries(), new.signal)
        disk.make_directory(paths[1].parent)
        with disk.parquet(paths[1], projection.schema, _write_options(projection, new.signal)) as writer:
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


def _sorted(block: Any, signal: Signal, first: tuple[str, int] | None = None) -> Any:
    keys = [_codes(block[name]) for name in _SORT_COLUMNS[signal] if name in block.column_names]
    if first is not None and first[0] in block.column_names:
        is_other = pc.fill_null(pc.not_equal(block[first[0]], first[1]), fill_value=True)
        keys.insert(0, is_other.to_numpy().astype(np.int64))
    order = _order([*keys, block[TIME_COLUMN[signal]].to_numpy()])
    return pc.take(block, pa.array(order), boundscheck=False)  # looking at it for each column is a tenth of the time


def _order(keys: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Where the rows stand once they are sorted by the first key, then by the next; of equal rows the order stays.

    By one number a row where all keys fit into it: a third of the time of sorting by each.
    """
    lowest = [int(key.min()) for key in keys]
    bits = [(int(key.max()) - low).bit_length() for key, low in zip(keys, lowest, strict=True)]
    if sum(bits) > _SORTED_BITS:
        return np.lexsort(keys[::-1])
    joined = np.zeros(len(keys[0]), np.int64)
    for key, low, width in zip(keys, lowest, bits, strict=True):
        joined = joined << width | key - low
    return np.argsort(joined, kind="stable")


def _codes(column: Any) -> NDArray[Any]:
    """Numbers in the order of the values; null comes first."""
    values = column.combine_chunks()
    values = values.chunk(0) if isinstance(values, pa.ChunkedArray) else values
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    ranks = np.empty(len(values.dictionary) + 1, np.int64)
    ranks[pc.sort_indices(values.dictionary).to_numpy()] = np.arange(len(values.dictionary))
    ranks[-1] = -1
    codes: NDArray[np.int64] = ranks[values.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return codes


def _write_options(sample: Any, signal: Signal) -> dict[str, Any]:
    """How to write each column, judged by the first rows.

    LZ4 for columns of very few distinct values: with Zstandard they would be hardly smaller, and a whole row would be
    read in a tenth more time. Zstandard for the others, but for those that nothing makes smaller.
    """
    leaves = {column.name: _leaf(column) for column in sample.schema}
    plain = _UNIQUE | _DELTA
    apart = _LENGTHS_APART.get(signal, frozenset())
    compression = {leaf: _compression(sample[name], name, signal) for name, leaf in leaves.items()}
    return {
        "compression": compression,
        "compression_level": {leaf: _COMPRESSION_LEVEL for leaf, codec in compression.items() if codec == "zstd"},
        "use_dictionary": [leaf for name, leaf in leaves.items() if name not in plain and not _is_time(name)],
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name in leaves if name in _DELTA}
        | {name: "DELTA_LENGTH_BYTE_ARRAY" for name in leaves if name in apart},
        "write_batch_size": _WRITTEN_TOGETHER,
        "write_statistics": [leaf for name, leaf in leaves.items() if _tells(sample, name, compression[leaf], signal)],
        "store_schema": False,
        "write_page_index": False,
    }


def _tells(sample: Any, name: str, compression: str, signal: Signal) -> bool:
    """Whether a column's extremes are worth their bytes: row groups are told apart by them, or they are small.

    Those of texts of many values are long, stand in the footer and in each page, and hold nearly every value between
    them; those of lists are not looked at: together 0.3 bytes a span. By those of parents' ids an export knows that a
    row group has no id of zeros, and copies it.
    """
    kind = sample.schema.field(name).type
    if signal in _POINTS or name in _SORT_COLUMNS[signal] or name in _UNIQUE:
        return True
    return not pa.types.is_list(kind) and (compression == "lz4" or pa.types.is_primitive(kind))


def _compression(column: Any, name: str, signal: Signal) -> str:
    return _COMPRESSION.get(signal, {}).get(name) or ("lz4" if _is_repetitive(column) else "zstd")


def _is_repetitive(column: Any) -> bool:
    values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    if pa.types.is_dictionary(values.type):
        return all(len(chunk.dictionary) <= _REPETITIVE_MAX for chunk in values.chunks)
    # ids and times have that many among the first rows already, which spares counting all the others
    return all(
        int(pc.count_distinct(some).as_py()) <= _REPETITIVE_MAX for some in (values.slice(0, _FIRST_ROWS), values)
    )


def _is_time(name: str) -> bool:
    return name in {"event_time_ns", "exemplar_time_ns"}


def _leaf(column: Any) -> str:
    """The path of a column's values in Parquet's schema."""
    return f"{column.name}.list.element" if pa.types.is_list(column.type) else str(column.name)
