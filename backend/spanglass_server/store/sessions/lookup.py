"""Reading a few whole rows, with all their columns, from segments: those of some traces, or for which SQL holds.

DuckDB 1.5.5 spends some 0.1 ms on each column chunk it opens, whatever is in it, and a row group has one for each of
its columns: a trace of 20 spans with 70 columns took 22 ms. Two things help. A connection with one thread costs a third
less than one with two (15 ms), for there is nothing to share out; and two of them read half of the columns each, side
by side (9 ms). The halves are put together by the rows' places in their files.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from spanglass_server.signals import quote_identifier, quote_text
from spanglass_server.store.batches.reading import Batches
from spanglass_server.store.batches.whole_rows import copies_of_file, rows_of_file
from spanglass_server.store.ports import QueryError, QueryTimeoutError
from spanglass_server.store.sessions.results import table_of
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.store.traces.footers import Footer, Footers
from spanglass_server.store.traces.rows import find, row_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from spanglass_server.parquet.row_groups import RowGroup
    from spanglass_server.signals import Signal
    from spanglass_server.store.batches.reading import Batch, Source
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import OfTraces, Window
    from spanglass_server.store.traces.recent_rows import RecentRows

#: Fewer columns than this are read at once.
_HALVE_FROM = 16


class Lookup:
    """Reads whole rows over a connection of its own, which has one thread."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, readers: int) -> None:
        self._connection = connection
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="lookup")
        self._stop = Stop()
        self._footers = Footers()
        self._recent: RecentRows | None = None

    def within(self, stop: Stop, recent: RecentRows) -> Lookup:
        """Return a copy of this lookup whose reads ``stop`` can interrupt, and which finds ``recent`` rows at once."""
        bound = copy(self)
        bound._stop, bound._recent = stop, recent  # noqa: SLF001 - a copy of our own
        return bound

    def trace_rows(self, path: Path, signal: Signal, wanted: OfTraces, windows: Sequence[Window]) -> Iterator[pa.Table]:
        """The rows of some traces in a file, outside of whose windows none of them lies."""
        if self._stop.stopped:
            raise QueryTimeoutError("the query was stopped")
        recent = None if self._recent is None else self._recent.find(path, wanted)
        if recent is not None:
            yield from recent
            return
        try:
            for rows in row_groups(self._footers.of(path), signal, windows, wanted):
                if self._stop.stopped:
                    raise QueryTimeoutError("the query was stopped")
                found = find(rows, wanted)
                if found is not None:
                    yield found
        except (OSError, pa.ArrowException) as error:
            raise QueryError(f"stored data could not be read: {error}") from error

    def batches(self, source: Source, windows: Sequence[Window], kept: PartCache) -> Iterator[Batch]:
        """The row groups of a file that may have rows in one of some windows."""
        for batch in Batches(self._footers, kept).of_file(source, windows):
            if self._stop.stopped:
                raise QueryTimeoutError("the query was stopped")
            yield batch

    def all_rows(self, path: Path, time: str, window: Window) -> Iterator[pa.Table]:
        """All rows of a file that lie in a window, whole; ``time`` is the column of their times."""
        for table in rows_of_file(path, time, window):
            if self._stop.stopped:
                raise QueryTimeoutError("the query was stopped")
            yield table

    def copies(
        self, path: Path, time: str, window: Window, fits: Callable[[RowGroup], bool]
    ) -> Iterator[pa.Table | RowGroup]:
        """The same, row groups that lie in the window wholly, and fit, as they stand in the file."""
        for rows in copies_of_file(path, time, window, fits):
            if self._stop.stopped:
                raise QueryTimeoutError("the query was stopped")
            yield rows

    def column_bytes(self, path: Path) -> Mapping[str, int]:
        """How many bytes each column of a file takes, of the footer alone, which is not kept."""
        if self._stop.stopped:
            raise QueryTimeoutError("the query was stopped")
        try:
            return Footer(path).compressed()
        except (OSError, pa.ArrowException) as error:
            raise QueryError(f"stored data could not be read: {error}") from error

    def bytes_of(self, path: Path) -> int:
        """How much the columns of a file take before compression."""
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            raise QueryError(f"stored data could not be read: {error}") from error
        return sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))

    def columns(self, path: Path, columns: Sequence[str], texts: Sequence[str]) -> pa.Table:
        """Columns of all rows of a file; those that are ``texts`` as dictionaries."""
        if self._stop.stopped:
            raise QueryTimeoutError("the query was stopped")
        try:
            with pq.ParquetFile(path, read_dictionary=texts) as file:
                return file.read(columns=columns)
        except (OSError, pa.ArrowException) as error:
            raise QueryError(f"stored data could not be read: {error}") from error

    def rows(self, paths: Sequence[str], columns: Sequence[str], where: str, parameters: Sequence[Any]) -> pa.Table:
        """The rows of the files for which ``where`` holds, with ``columns``, which every file has."""
        if len(columns) < _HALVE_FROM:
            return self._read(paths, columns, where, parameters)
        # every other column: neighbours are alike, and lists cost four times as much as plain values
        other = self._threads.submit(self._read, paths, columns[1::2], where, parameters)
        table = self._read(paths, columns[::2], where, parameters)
        for name, values in zip(columns[1::2], other.result().columns, strict=True):
            table = table.append_column(name, values)
        return table

    def _read(self, paths: Sequence[str], columns: Sequence[str], where: str, parameters: Sequence[Any]) -> pa.Table:
        files = ", ".join(map(quote_text, paths))
        names = ", ".join(map(quote_identifier, columns))
        with self._stop.watching(self._connection.cursor()) as cursor:
            found = cursor.execute(
                f"SELECT {names} FROM read_parquet([{files}]) WHERE {where} "  # noqa: S608 - no text of users
                "ORDER BY filename, file_row_number",
                parameters,
            )
            return table_of(found)

    def close(self) -> None:
        """Wait for what is under way, and release the connection."""
        self._threads.shutdown(wait=True)
        self._connection.close()
