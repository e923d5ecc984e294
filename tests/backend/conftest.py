"""Parts that tests of queries and of the API share: a query session over tables written by hand."""

from __future__ import annotations

import itertools
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from spanglass_server.query.statements import one_of
from spanglass_server.signals import FIXED_COLUMNS, OVERFLOW_COLUMNS, TIME_COLUMN, Signal, quote_identifier, sql_type
from spanglass_server.store.batches.reading import batch_of_table
from spanglass_server.store.part_cache import PartCache
from spanglass_server.store.ports import ALL_TIME, Arrived, Part
from spanglass_server.store.service_slots import service_slot

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from spanglass_server.parquet.row_groups import RowGroup
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import ColumnValue, OfferedTable, OfTraces, Window

Row = dict[str, Any]
_NUMBERS = itertools.count(1)


@cache
def _databases() -> duckdb.DuckDBPyConnection:
    """Return the DuckDB of this process; another one would take 10 ms a test, a database in it takes 1 ms."""
    return duckdb.connect(config={"threads": 1})


class TableSession:
    """A ``QuerySession`` over one in-memory table a signal, filled with rows (stored name to value; absent is NULL).

    It prunes nothing, as the contract allows: callers that forget to filter by trace id are found out.
    ``statements`` keeps what was run, for tests of how often and with which columns storage was asked.
    """

    def __init__(self, **rows: Sequence[Row]) -> None:
        self.connection, self._database = _databases().cursor(), f"tables_{next(_NUMBERS)}"
        self.connection.execute(f"ATTACH ':memory:' AS {self._database}; USE {self._database}")
        self._asking = threading.Lock()  # a server asks from several threads, and a connection has one result
        self.statements: list[str] = []
        self.tables_offered: dict[str, OfferedTable] = {}
        self.kept = PartCache()
        self._columns: dict[Signal, dict[str, int]] = {}
        for signal in Signal:
            self._load(signal, rows.get(signal.value, ()))

    def _load(self, signal: Signal, rows: Sequence[Row]) -> None:
        """Create one signal's table and insert its rows."""
        attributes = dict.fromkeys(name for row in rows for name in row if name not in FIXED_COLUMNS[signal])
        names = [*FIXED_COLUMNS[signal], *attributes]
        columns = ", ".join(f"{quote_identifier(name)} {sql_type(signal, name)}" for name in names)
        self.connection.execute(f"CREATE TABLE stored_{signal} ({columns})")
        if rows:
            try:
                self._insert_columns(signal, [name for name in names if any(name in row for row in rows)], rows)
            except (pa.ArrowException, TypeError, OverflowError, duckdb.Error):  # values of several types, maps
                self._insert_rows(signal, names, rows)
        overflow = [name for name in OVERFLOW_COLUMNS if any(name in row for row in rows)]
        self._columns[signal] = dict.fromkeys([*attributes, *overflow], len(rows))

    def _insert_columns(self, signal: Signal, names: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows by columns: a row takes 2 ms, and a bound parameter as long as a hundred values of these."""
        given = pa.table({str(place): [row.get(name) for row in rows] for place, name in enumerate(names)})
        values = ", ".join(f'"{place}"::{sql_type(signal, name)}' for place, name in enumerate(names))
        into = f"stored_{signal} ({', '.join(map(quote_identifier, names))})"
        self.connection.register("given", given)
        try:
            self.connection.execute(f"INSERT INTO {into} SELECT {values} FROM given")  # noqa: S608 - own names
        finally:
            self.connection.unregister("given")

    def _insert_rows(self, signal: Signal, names: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows one by one, each value as DuckDB takes it."""
        marks = ", ".join("?" for _ in names)
        for row in rows:
            values = [row.get(name) for name in names]
            self.connection.execute(f"INSERT INTO stored_{signal} VALUES ({marks})", values)  # noqa: S608 - own names

    def close(self) -> None:
        """Drop the tables."""
        self.connection.close()
        _databases().execute(f"DETACH {self._database}")

    def _names(self, signal: Signal) -> set[str]:
        return {*FIXED_COLUMNS[signal], *self._columns[signal]}

    def columns(self, signal: Signal, window: Window = ALL_TIME) -> Mapping[str, int]:
        """Every attribute column of the signal, whatever the window, and the overflow columns where rows have them."""
        del window
        return self._columns[signal]

    def has_column(self, signal: Signal, window: Window, name: str) -> bool:
        """Whether the signal has a column, whatever the window."""
        del window
        return name in self._columns[signal] or name in FIXED_COLUMNS[signal]

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
        """Select the rows of the window with the columns asked for; one that was never stored is NULL of its type."""
        del require, values
        known = self._names(signal)
        selected = ", ".join(
            quote_identifier(name) if name in known else f"NULL::{sql_type(signal, name)} AS {quote_identifier(name)}"
            for name in dict.fromkeys(columns)
        )
        time = TIME_COLUMN[signal]
        inside = "true" if window == ALL_TIME else f"{time} >= {window.start_ns} AND {time} < {window.end_ns}"
        if trace_ids and "trace_id" in columns:
            inside += f" AND trace_id IN {one_of(trace_ids).text}"
        return f"(SELECT {selected} FROM stored_{signal} WHERE {inside})"  # noqa: S608 - identifiers are quoted

    def parts(self, signal: Signal, window: Window) -> list[Part]:
        """The whole table as one part, whatever the window; none if it has no rows. Changed rows are another part."""
        del window
        (told,) = self.rows(f"SELECT count(*) AS n, bit_xor(hash(t)) AS h FROM stored_{signal} t")  # noqa: S608 - own name
        if not told["n"]:
            return []
        key = (f"table of {signal} in {id(self)}", told["h"])
        return [Part(key, signal, told["n"], 0, ALL_TIME.end_ns, frozenset(self._names(signal)))]

    def part_relation(self, part: Part, columns: Collection[str]) -> str:
        """Select all rows."""
        return self.relation(part.signal, ALL_TIME, columns)

    def part_table(self, part: Part, columns: Collection[str]) -> pa.Table:
        """Select all rows."""
        return self.execute(f"SELECT * FROM {self.part_relation(part, columns)}")  # noqa: S608 - an own relation

    def part_bytes(self, part: Part) -> int:
        """Read all of it."""
        return int(self.part_table(part, self._names(part.signal)).nbytes)

    def whole_rows(
        self,
        signal: Signal,
        window: Window,
        where: str,
        parameters: Sequence[Any] = (),
        *,
        trace_ids: Collection[bytes] = (),
    ) -> pa.Table:
        """Select the rows with every column, whatever the window."""
        del window, trace_ids
        return self.execute(f"SELECT * FROM stored_{signal} WHERE {where}", parameters)  # noqa: S608 - no text of users

    def all_rows(self, signal: Signal, window: Window) -> Iterator[pa.Table]:
        """Select the rows of the window with every column, as one table."""
        yield self.execute(f"SELECT * FROM {self.relation(signal, window, self._names(signal))}")  # noqa: S608 - own names

    def copies(self, signal: Signal, window: Window, fits: Callable[[RowGroup], bool]) -> Iterator[pa.Table | RowGroup]:
        """The same table: nothing lies in a file."""
        del fits
        return self.all_rows(signal, window)

    def trace_rows(self, signal: Signal, window: Window, wanted: OfTraces) -> pa.Table:
        """Select the rows of the traces, whatever the window."""
        del window
        rows = self.execute(f"SELECT * FROM stored_{signal}")  # noqa: S608 - no text of users
        for name, ids in (("trace_id", wanted.trace_ids), ("span_id", wanted.span_ids)):
            if ids:
                rows = rows.filter(pc.is_in(rows[name], value_set=pa.array(list(ids), pa.binary())))
        return rows.select([name for name in rows.column_names if wanted.columns is None or name in wanted.columns])

    def batches(
        self,
        signal: Signal,
        window: Window,
        *,
        require: Collection[str] = (),
        values: Sequence[Collection[ColumnValue]] = (),
        most_rows: int,
    ) -> Iterator[Batch] | None:
        """The whole table as one batch, whatever the window."""
        del require, values, most_rows
        whole = (ALL_TIME.start_ns - 1, ALL_TIME.end_ns)
        return (
            batch_of_table(self.kept, part.key, self.part_table(part, part.columns), whole)
            for part in self.parts(signal, window)
        )

    def table(self, rows: pa.Table) -> str:
        """Register the rows as a table."""
        name = f"given_{len(self.statements)}_{id(rows)}"
        with self._asking:
            self.connection.register(name, rows)
        return name

    def offered(self) -> Mapping[str, OfferedTable]:
        """What a test says."""
        return self.tables_offered

    def trace_windows(
        self, trace_ids: Collection[bytes], window: Window = ALL_TIME
    ) -> Collection[tuple[bytes, Window]]:
        """All time for each trace: it prunes nothing here either."""
        del window
        return [(trace_id, ALL_TIME) for trace_id in trace_ids]

    def traces_outside(self, trace_ids: Collection[bytes], near: Window, around: Window) -> Collection[bytes]:
        """All of them."""
        del near, around
        return trace_ids

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        """Run a statement and return its Arrow table."""
        self.statements.append(sql)
        with self._asking:
            return self.connection.execute(sql, parameters).to_arrow_table()

    def table_names(self, sql: str) -> set[str]:
        """Ask DuckDB."""
        return self.connection.get_table_names(sql)

    def rolled_up(self, rollups: Signal, *, outdated: bool = False) -> list[Window]:
        """None: points are points here."""
        del rollups, outdated
        return []

    def arrived(self, signal: Signal) -> Arrived:
        """The largest arrival order of the signal's rows."""
        if "arrival_order" not in FIXED_COLUMNS[signal]:
            return Arrived(0, 0)
        (row,) = self.rows(f"SELECT coalesce(max(arrival_order), 0) AS last FROM stored_{signal}")  # noqa: S608
        return Arrived(row["last"], 0)

    def first_ns(self, signal: Signal) -> int | None:
        """The earliest time of the signal's rows."""
        (row,) = self.rows(f"SELECT min({TIME_COLUMN[signal]}) AS first FROM stored_{signal}")  # noqa: S608
        return row["first"]

    def service_slot(self, name: str) -> int:
        """Return the slot of the name's hash."""
        return service_slot(name)

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Run a statement and return its rows."""
        return self.execute(sql, parameters).to_pylist()


@pytest.fixture
def open_tables() -> Iterator[Callable[..., TableSession]]:
    """Yield a function that opens sessions, ``open_tables(spans=[...], logs=[...])``, closed after the test."""
    opened: list[TableSession] = []

    def open_session(**rows: Sequence[Row]) -> TableSession:
        opened.append(TableSession(**rows))
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()
