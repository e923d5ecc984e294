"""A query's view of the store: SQL table expressions over the segments and chunks of one snapshot."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.signals import FIXED_COLUMNS, TIME_COLUMN, Signal, sql_type
from spanglass_server.store.batches.reading import Source, are_asked_first, batch_of_table
from spanglass_server.store.batches.traces import rows_of_traces
from spanglass_server.store.batches.whole_rows import rows_inside
from spanglass_server.store.ports import ALL_TIME, Arrived, Part, Window
from spanglass_server.store.segment_files.segments import Segment
from spanglass_server.store.sessions import relations
from spanglass_server.store.sessions.joined_columns import (
    has_one_of,
    joined_columns,
    rows_of_these,
    without_dictionaries,
)
from spanglass_server.store.sessions.outside import Outside
from spanglass_server.store.sessions.results import table_of
from spanglass_server.store.sessions.selecting import (
    chunks_in,
    columns_in,
    covered,
    matching_segments,
    segments_in,
    windows_of_traces,
)
from spanglass_server.store.traces.kept_rows import kept_rows
from spanglass_server.store.traces.reading import read_traces
from spanglass_server.store.traces.rows import InMemory, find

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from spanglass_server.parquet.row_groups import RowGroup
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.contents import Chunk, Snapshot
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import ColumnValue, OfferedTable, OfTraces
    from spanglass_server.store.sessions.lookup import Lookup
    from spanglass_server.store.sessions.views import Views
    from spanglass_server.store.values.files import ValueFilters


class StoreSession:
    """A ``QuerySession`` over one snapshot. Belongs to one thread, and ends with the function that was given it."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        lookup: Lookup,
        views: Views,
        data_dir: Path,
        slot_of: Callable[[str], int],
        offered: Mapping[str, OfferedTable],
        values: ValueFilters,
        kept: PartCache,
    ) -> None:
        self._cursor = cursor
        self._lookup = lookup
        self._views = views
        self._data_dir = data_dir
        self._slot_of = slot_of
        self._offered = offered
        self._values = values
        self._kept = kept
        self._registered = 0
        self._parts: dict[tuple[str, int], Segment | Chunk] = {}

    @property
    def _snapshot(self) -> Snapshot:
        return self._views.whole()

    def columns(self, signal: Signal, window: Window = ALL_TIME) -> Mapping[str, int]:
        """See ``QuerySession``."""
        return columns_in(self._snapshot, signal, window)

    def has_column(self, signal: Signal, window: Window, name: str) -> bool:
        """See ``QuerySession``."""
        return any(name in segment.columns for segment in self._segments(signal, window)) or any(
            name in chunk.table.column_names for chunk in self._chunks(signal, window)
        )

    def relation(
        self,
        signal: Signal,
        window: Window,
        columns: Collection[str],
        *,
        require: Collection[str] = (),
        trace_ids: Collection[bytes] = (),
        values: Sequence[Collection[ColumnValue]] = (),
    ) -> str:
        """See ``QuerySession``."""
        needed = dict.fromkeys(columns)
        inside = relations.inside(signal, window)
        files = self._values.having(self._files(signal, window, require, trace_ids), values)
        of_traces = relations.of_these_traces(trace_ids) if "trace_id" in needed else ""
        parts = []
        for (present, is_inside), paths in self._grouped(window, needed, files).items():
            source = relations.read_parquet(paths) + relations.where("" if is_inside else inside, of_traces)
            parts.append(relations.select(signal, needed, present, source))
        memory = self._memory(signal, window, needed, require, trace_ids)
        if memory is not None:
            source = self._register(memory) + relations.where(inside)
            parts.append(relations.select(signal, needed, frozenset(memory.column_names), source))
        if not parts:
            parts.append(relations.select(signal, needed, frozenset(), "(SELECT 1 WHERE false)"))
        return "(" + " UNION ALL ".join(parts) + ")"

    def parts(self, signal: Signal, window: Window) -> list[Part]:
        """See ``QuerySession``."""
        held: list[tuple[Part, Segment | Chunk]] = [
            (
                Part(
                    *(s.key, signal, s.rows, s.min_time_ns, s.max_time_ns, s.columns),
                    *(s.minute_counts, s.bytes, s.arrived_ns),
                ),
                s,
            )
            for s in self._segments(signal, window)
        ]
        held += [
            (
                Part(c.key, signal, c.rows, c.min_time_ns, c.max_time_ns, frozenset(c.table.column_names)),
                c,
            )
            for c in self._chunks(signal, window)
        ]
        self._parts.update((part.key, rows) for part, rows in held)
        return [part for part, _ in held]

    def part_relation(self, part: Part, columns: Collection[str]) -> str:
        """See ``QuerySession``."""
        needed = dict.fromkeys(columns)
        present = part.columns.intersection(needed)
        held, time = self._parts[part.key], TIME_COLUMN[part.signal]
        if isinstance(held, Segment):
            source = relations.read_parquet([str(self._data_dir / held.file_for(needed))])
        else:
            source = self._register(held.table.select([time, *(present - {time})]))
        return f"({relations.select(part.signal, needed, present, source)})"

    def part_table(self, part: Part, columns: Collection[str]) -> pa.Table:
        """See ``QuerySession``."""
        self._views.give_way()
        present = [name for name in dict.fromkeys(columns) if name in part.columns]
        held = self._parts[part.key]
        if not isinstance(held, Segment):
            return held.table.select(present)
        texts = [name for name in present if sql_type(part.signal, name) == "VARCHAR"]
        return self._lookup.columns(self._data_dir / held.file_for(present), present, texts)

    def column_bytes(self, part: Part) -> Mapping[str, int]:
        """See ``QuerySession``."""
        held = self._parts[part.key]
        return self._lookup.column_bytes(self._data_dir / held.file) if isinstance(held, Segment) else {}

    def part_bytes(self, part: Part) -> int:
        """See ``QuerySession``."""
        held = self._parts[part.key]
        return self._lookup.bytes_of(self._data_dir / held.file) if isinstance(held, Segment) else held.table.nbytes

    @property
    def kept(self) -> PartCache:
        """See ``QuerySession``."""
        return self._kept

    def whole_rows(
        self,
        signal: Signal,
        window: Window,
        where: str,
        parameters: Sequence[Any] = (),
        *,
        trace_ids: Collection[bytes] = (),
    ) -> pa.Table:
        """See ``QuerySession``."""
        tables = []
        by_columns: dict[frozenset[str], list[str]] = defaultdict(list)
        for segment in self._files(signal, window, (), trace_ids):
            by_columns[segment.columns].append(str(self._data_dir / segment.file))
        for columns, paths in by_columns.items():
            tables.append(self._lookup.rows(paths, sorted(columns), relations.over(signal, columns, where), parameters))
        tables += self._whole_rows_in_memory(signal, window, where, parameters)
        return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})

    def all_rows(self, signal: Signal, window: Window) -> Iterator[pa.Table]:
        """See ``QuerySession``."""
        time = TIME_COLUMN[signal]
        for segment in self._segments(signal, window):
            yield from self._lookup.all_rows(self._data_dir / segment.file, time, window)
        yield from (rows_inside(chunk.table, time, window) for chunk in self._chunks(signal, window))

    def copies(self, signal: Signal, window: Window, fits: Callable[[RowGroup], bool]) -> Iterator[pa.Table | RowGroup]:
        """See ``QuerySession``."""
        for segment in self._segments(signal, window):
            yield from self._lookup.copies(self._data_dir / segment.file, TIME_COLUMN[signal], window, fits)
        yield from (rows_inside(chunk.table, TIME_COLUMN[signal], window) for chunk in self._chunks(signal, window))

    def trace_rows(self, signal: Signal, window: Window, wanted: OfTraces) -> pa.Table:
        """See ``QuerySession``."""

        def read(segment: Segment, windows: Sequence[Window]) -> Iterator[pa.Table]:
            if wanted.columns is None:  # too many columns to be kept of all rows
                self._views.give_way()
                path = self._data_dir / segment.file
                yield from kept_rows(
                    *(self._kept, segment.key, wanted, windows),
                    lambda asked: self._lookup.trace_rows(path, signal, asked, windows),
                )
                return
            for batch in self._batches_of(segment, windows):
                found = rows_of_traces(batch, wanted, wanted.columns)
                if found is not None:
                    yield found

        def find_in(chunk: Chunk) -> pa.Table | None:
            if wanted.columns is None:
                return find(InMemory(chunk.table), wanted)
            return rows_of_traces(self._batch(chunk), wanted, wanted.columns)

        return read_traces(self._views.of_traces(wanted.trace_ids), signal, window, wanted, read, find_in)

    def batches(
        self,
        signal: Signal,
        window: Window,
        *,
        require: Collection[str] = (),
        values: Sequence[Collection[ColumnValue]] = (),
        most_rows: int,
    ) -> Iterator[Batch] | None:
        """See ``QuerySession``."""
        files = list(self._values.having(self._files(signal, window, require, ()), values))
        chunks = [chunk for chunk in self._chunks(signal, window) if has_one_of(chunk.table, require)]
        if sum(file.rows for file in files) + sum(chunk.rows for chunk in chunks) > most_rows:
            return None
        if are_asked_first(files, self._kept):
            return None
        stored = (self._batches_of(file, [window]) for file in files)
        return chain(chain.from_iterable(stored), map(self._batch, chunks))

    def table(self, rows: pa.Table) -> str:
        """See ``QuerySession``."""
        return self._register(rows)

    def offered(self) -> Mapping[str, OfferedTable]:
        """See ``QuerySession``."""
        return self._offered

    def trace_windows(self, trace_ids: Collection[bytes], window: Window = ALL_TIME) -> set[tuple[bytes, Window]]:
        """See ``QuerySession``."""
        return windows_of_traces(self._snapshot, trace_ids, window)

    def traces_outside(self, trace_ids: Collection[bytes], near: Window, around: Window) -> set[bytes]:
        """See ``QuerySession``."""
        parts: list[Segment | Chunk] = [*self._segments(Signal.SPANS, around), *self._chunks(Signal.SPANS, around)]
        return Outside(near, around, self._batches_of).of(trace_ids, parts)

    def _batches_of(self, part: Segment | Chunk, windows: Sequence[Window]) -> Iterable[Batch]:
        if isinstance(part, Segment):
            self._views.give_way()
            return self._lookup.batches(self._source(part), windows, self._kept)
        return [self._batch(part)]

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        """See ``QuerySession``."""
        self._views.give_way()
        return table_of(self._cursor.execute(sql, parameters))

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """See ``QuerySession``."""
        self._views.give_way()
        self._cursor.execute(sql, parameters)
        names = [column[0] for column in self._cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]

    def table_names(self, sql: str) -> set[str]:
        """See ``QuerySession``."""
        return self._cursor.get_table_names(sql)

    def rolled_up(self, rollups: Signal, *, outdated: bool = False) -> list[Window]:
        """See ``QuerySession``."""
        return covered(self._snapshot, rollups, outdated=outdated)

    def arrived(self, signal: Signal) -> Arrived:
        """See ``QuerySession``."""
        return self._snapshot.arrived[signal]

    def first_ns(self, signal: Signal) -> int | None:
        """See ``QuerySession``."""
        return self._snapshot.first_ns(signal)

    def service_slot(self, name: str) -> int:
        """See ``QuerySession``."""
        return self._slot_of(name)

    def _segments(self, signal: Signal, window: Window) -> list[Segment]:
        return segments_in(self._snapshot, signal, window)

    def _chunks(self, signal: Signal, window: Window) -> list[Chunk]:
        return chunks_in(self._snapshot, signal, window)

    def _files(
        self, signal: Signal, window: Window, require: Collection[str], trace_ids: Collection[bytes]
    ) -> Iterator[Segment]:
        """Every segment that may have a matching row."""
        return matching_segments(self._snapshot, signal, window, require, trace_ids)

    def _grouped(
        self, window: Window, needed: Mapping[str, None], files: Iterable[Segment]
    ) -> dict[tuple[frozenset[str], bool], list[str]]:
        """Files by which of the needed columns they have, and whether they lie wholly inside the window.

        DuckDB takes the schema of the first file for all of them; and a filter on time that every row passes would
        still be evaluated for every row (15 % of a query over one service).
        """
        groups: dict[tuple[frozenset[str], bool], list[str]] = defaultdict(list)
        for segment in files:
            is_inside = window.start_ns <= segment.min_time_ns and segment.max_time_ns < window.end_ns
            path = str(self._data_dir / segment.file_for(needed))
            groups[segment.columns_for(needed), is_inside].append(path)
        return groups

    def _memory(
        self,
        signal: Signal,
        window: Window,
        needed: Mapping[str, None],
        require: Collection[str],
        trace_ids: Collection[bytes],
    ) -> pa.Table | None:
        """The needed columns of all chunks as one table, and the time of the rows with them.

        Of some traces only their rows: Arrow finds them among 100 000 in 1 ms, DuckDB in 8.
        """
        tables = [chunk.table for chunk in self._chunks(signal, window) if has_one_of(chunk.table, require)]
        names = {TIME_COLUMN[signal]: None, **needed}
        if trace_ids:
            wanted = pa.array(list(trace_ids), pa.binary())
            tables = [rows for table in tables for rows in rows_of_these(table, names, wanted)]
        return joined_columns(tables, names) if tables else None

    def _whole_rows_in_memory(
        self, signal: Signal, window: Window, where: str, parameters: Sequence[Any]
    ) -> list[pa.Table]:
        """Find rows by fixed columns, then take them from the chunks: DuckDB would filter each of 70 columns."""
        found = []
        for chunk in self._chunks(signal, window):
            fixed = [name for name in FIXED_COLUMNS[signal] if name in chunk.table.column_names]
            numbered = chunk.table.select(fixed).append_column("row", pa.array(np.arange(chunk.rows)))
            name = self._register(numbered)
            condition = relations.over(signal, frozenset(fixed), where)
            rows = self.execute(f"SELECT row FROM {name} WHERE {condition}", parameters)  # noqa: S608 - see the contract
            if rows.num_rows:
                found.append(without_dictionaries(chunk.table.take(rows["row"])))
        return found

    def _batch(self, chunk: Chunk) -> Batch:
        return batch_of_table(self._kept, chunk.key, chunk.table, (chunk.min_time_ns, chunk.max_time_ns))

    def _source(self, segment: Segment) -> Source:
        times = TIME_COLUMN[segment.signal], segment.min_time_ns, segment.max_time_ns
        return Source(self._data_dir / segment.file, segment.key, *times)

    def _register(self, table: pa.Table) -> str:
        self._registered += 1
        name = f"memory_{self._registered}"
        self._cursor.register(name, table)
        return name
