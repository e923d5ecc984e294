"""Segments: Parquet files of one signal, written once and never changed.

Rows stand in the order in which they came, which keeps a trace's spans together, in blocks of one row group; within a
block they are sorted by service and name, so that most of a scan's vectors hold one service and can be skipped. Ids,
times and durations are written without a dictionary: nearly every value is new, and DuckDB 1.5.5 then scans 1 M spans
twice as fast (search 24 -> 12 ms) in 19 % fewer bytes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.trace_filter import TraceFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ROW_GROUP_ROWS = 16_384

#: What rows of a block are sorted by before their time.
_SORT_COLUMNS = {
    Signal.SPANS: ("resource.service.name:str", "name"),
    Signal.LOGS: ("resource.service.name:str", "severity_number"),
    Signal.METRICS: ("metric_name", "resource.service.name:str"),
}
_UNIQUE = frozenset({"span_id", "parent_span_id", "link_span_id", "exemplar_span_id", "exemplar_trace_id"})
_DELTA = frozenset({"start_time_ns", "time_ns", "observed_time_ns", "duration_ns"})


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

    def overlaps(self, start_ns: int, end_ns: int) -> bool:
        """Whether a row may lie in ``start_ns <= t < end_ns``."""
        return self.min_time_ns < end_ns and self.max_time_ns >= start_ns


def write_segment(
    chunks: Iterable[Any], schema: Any, signal: Signal, segment_id: int, data_dir: Path, arrived_ns: int
) -> Segment:
    """Write the rows of ``chunks`` (Arrow tables) as one segment, durable on return but not yet in any catalog.

    ``schema`` has every column of every chunk. Raises ``OSError`` when it can't be written; nothing is left then.
    """
    relative = f"segments/{signal}/{segment_id:012d}.parquet"
    path = data_dir / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    facts = _Facts(signal)
    try:
        with pq.ParquetWriter(partial, schema, **_write_options(schema)) as writer:
            for block in _blocks(chunks, schema):
                writer.write_table(facts.seen(_sorted(block, signal)), row_group_size=ROW_GROUP_ROWS)
        _sync(partial)
        partial.rename(path)
        _sync(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
    return Segment(
        id=segment_id,
        signal=signal,
        file=relative,
        rows=facts.rows,
        bytes=path.stat().st_size,
        min_time_ns=facts.min_time_ns,
        max_time_ns=facts.max_time_ns,
        arrived_ns=arrived_ns,
        columns=frozenset(schema.names),
        trace_filter=facts.trace_filter(),
    )


class _Facts:
    """What the catalog wants to know of the rows, gathered while they pass."""

    def __init__(self, signal: Signal) -> None:
        self._time = TIME_COLUMN[signal]
        self._hashes: list[NDArray[np.uint64]] | None = [] if signal is not Signal.METRICS else None
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
        return block

    def trace_filter(self) -> TraceFilter | None:
        if not self._hashes:
            return None
        return TraceFilter.build(np.unique(np.concatenate(self._hashes)))


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


def _sorted(block: Any, signal: Signal) -> Any:
    keys = [block[TIME_COLUMN[signal]].to_numpy()]
    keys += [_codes(block[name]) for name in reversed(_SORT_COLUMNS[signal]) if name in block.column_names]
    return block.take(pa.array(np.lexsort(keys)))


def _codes(column: Any) -> NDArray[Any]:
    """Numbers that are equal where the values are; their order is the order of first appearance."""
    values = column.combine_chunks()
    values = values.chunk(0) if isinstance(values, pa.ChunkedArray) else values
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    return values.indices.fill_null(-1).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _write_options(schema: Any) -> dict[str, Any]:
    leaves = {column.name: _leaf(column) for column in schema}
    plain = _UNIQUE | _DELTA
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [leaf for name, leaf in leaves.items() if name not in plain and not _is_time(name)],
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name in leaves if name in _DELTA},
        "store_schema": False,
        "write_page_index": False,
    }


def _is_time(name: str) -> bool:
    return name in {"event_time_ns", "exemplar_time_ns"}


def _leaf(column: Any) -> str:
    """The path of a column's values in Parquet's schema."""
    return f"{column.name}.list.element" if pa.types.is_list(column.type) else str(column.name)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
