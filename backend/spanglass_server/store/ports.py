"""What queries ask of storage, and what receivers ask of ingest. The contracts are here; implementations elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import pyarrow as pa

    from spanglass_server.parquet.row_groups import RowGroup
    from spanglass_server.signals import Signal
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.minute_counts import MinuteCounts
    from spanglass_server.store.part_cache import PartCache

#: A stored column of an attribute with a value of it.
ColumnValue: TypeAlias = "tuple[str, str | int | float]"


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open range of time, ``start_ns <= t < end_ns``, in nanoseconds since 1970."""

    start_ns: int
    end_ns: int
    arrived_ns: int = 0  # what was received wholly before this time may be left out

    def within(self, other: Window) -> Window:
        """The part of the range that lies in another; one that ends before it starts if there is none."""
        return Window(max(self.start_ns, other.start_ns), min(self.end_ns, other.end_ns), self.arrived_ns)

    def may_hold(self, min_time_ns: int, max_time_ns: int, arrived_ns: int) -> bool:
        """Whether rows with these times, the newest received then, can lie in the range."""
        return min_time_ns < self.end_ns and max_time_ns >= self.start_ns and arrived_ns >= self.arrived_ns


@dataclass(frozen=True, slots=True)
class Arrived:
    """How far a signal's records have arrived: the largest ``arrival_order``, and when the newest was received."""

    order: int
    time_ns: int


#: Everything that can be stored: 1970 up to 2200.
ALL_TIME = Window(0, 7_258_118_400_000_000_000)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a signal that never change: a segment, or a chunk of memory. What is made of them may be kept by ``key``.

    No other part ever has the same key while the process runs. ``columns`` are all that it has. ``minute_counts`` are
    those of some segments of spans. ``bytes`` is what it takes on disk, 0 of memory; ``arrived_ns`` when the newest of
    its rows came, 0 of memory.
    """

    key: tuple[str, int]
    signal: Signal
    rows: int
    min_time_ns: int
    max_time_ns: int
    columns: frozenset[str]
    minute_counts: MinuteCounts | None = field(default=None, compare=False, repr=False)
    bytes: int = field(default=0, compare=False)
    arrived_ns: int = field(default=0, compare=False)

    def is_inside(self, window: Window) -> bool:
        """Whether all its rows lie in a window."""
        return window.start_ns <= self.min_time_ns and self.max_time_ns < window.end_ns


@dataclass(frozen=True, slots=True)
class OfferedTable:
    """A table of the server's own that SQL of readers may ask, beside what is stored.

    ``rows`` makes it as it is now, in any thread, and may raise ``OSError``. ``types`` are DuckDB's types of columns
    that Arrow has as text.
    """

    rows: Callable[[], pa.Table]
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OfTraces:
    """Rows of some traces, all of them or those with some span ids too, with all their columns or some.

    With ``require``, rows that have none of those columns may be left out too.
    """

    trace_ids: Collection[bytes]
    span_ids: Collection[bytes] = ()
    columns: Collection[str] | None = None
    require: Collection[str] = ()


class QuerySession(Protocol):
    """One query's consistent view: segments and buffers as they stood when it began, and a cursor of its own.

    Used by one thread. Every record acknowledged before the session began is in it, and once. Runs under the
    deadline and memory limit of the engine; past either, ``QueryTimeoutError`` or ``QueryMemoryError`` is raised.
    """

    def columns(self, signal: Signal, window: Window = ...) -> Mapping[str, int]:
        """Attribute and overflow columns present in the window, with the number of rows of the segments they are in."""

    def has_column(self, signal: Signal, window: Window, name: str) -> bool:
        """Whether any record of the window may have a column; quick, whatever is stored."""

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
        """A parenthesised SQL table expression that holds exactly ``columns`` (stored names) of all matching rows.

        A column that a segment lacks is NULL there. Only rows of the window are in it. With ``require``, rows that
        have none of those columns may be left out too; with ``values``, rows that have no value of one of its
        collections. With ``trace_ids`` there are only rows of these traces if ``trace_id`` is among the columns; else
        rows of others may be left out.
        """

    def parts(self, signal: Signal, window: Window) -> Sequence[Part]:
        """What the rows of a window lie in, in the order of their arrival; other rows lie there too."""

    def part_relation(self, part: Part, columns: Collection[str]) -> str:
        """As ``relation``, over all rows of one part of this session, of whatever time."""

    def part_table(self, part: Part, columns: Collection[str]) -> pa.Table:
        """Those of some fixed or attribute columns that a part of this session has, of all its rows, without SQL.

        Texts may be dictionaries. Two tables of one part have the same rows in another order.
        """

    def column_bytes(self, part: Part) -> Mapping[str, int]:
        """How many bytes each column of a part takes on disk, by its stored name; nothing of memory. Reads no data."""

    def part_bytes(self, part: Part) -> int:
        """About how many bytes the columns of a part of this session take once they are read."""

    @property
    def kept(self) -> PartCache:
        """What was made of parts, for this session and later ones."""

    def whole_rows(
        self,
        signal: Signal,
        window: Window,
        where: str,
        parameters: Sequence[Any] = (),
        *,
        trace_ids: Collection[bytes] = (),
    ) -> pa.Table:
        """The rows for which ``where`` holds, with every column that any of them may have. Meant for few rows.

        ``where`` is SQL over fixed columns that every row of the signal has (ids, times), made by the caller, with
        bound parameters. A column may be missing from the table altogether; it is null then.
        """

    def all_rows(self, signal: Signal, window: Window) -> Iterator[pa.Table]:
        """All rows of a window with all their columns, some thousand at a time, without SQL; nothing of it is kept.

        A column may be missing from a table; it is null there. Texts may be dictionaries.
        """

    def copies(self, signal: Signal, window: Window, fits: Callable[[RowGroup], bool]) -> Iterator[pa.Table | RowGroup]:
        """The same as ``all_rows``, but row groups of files that ``fits`` takes come as they stand there.

        Those that lie in the window wholly are shown to it, unless they are small. What it refuses is read.
        """

    def trace_rows(self, signal: Signal, window: Window, wanted: OfTraces) -> pa.Table:
        """The rows of a few traces that lie in the window, and perhaps others of theirs, in the order of their arrival.

        Quicker than ``whole_rows``. A column may be missing from the table altogether; it is null then. With
        ``columns`` it raises LargeColumnsError where these are too large in a row group to be kept.
        """

    def batches(
        self,
        signal: Signal,
        window: Window,
        *,
        require: Collection[str] = (),
        values: Sequence[Collection[ColumnValue]] = (),
        most_rows: int,
    ) -> Iterator[Batch] | None:
        """The rows of a window in batches, in any order, without SQL; other rows lie in them too.

        ``require`` and ``values`` as for ``relation``. Columns that are read of a batch are kept, so they are to be
        few, and plain ones that are asked for often; they are read before the next batch is asked for. None if there
        would be more than ``most_rows``, or many that are asked for the first time: SQL reads these sooner. Reading
        columns raises ``LargeColumnsError`` where texts are long.
        """

    def table(self, rows: pa.Table) -> str:
        """The name of a table that holds these rows of the caller, for joins; gone with the session."""

    def offered(self) -> Mapping[str, OfferedTable]:
        """Tables of the server's own by name."""

    def trace_windows(
        self, trace_ids: Collection[bytes], window: Window = ALL_TIME
    ) -> Collection[tuple[bytes, Window]]:
        """Ranges of time outside of which no span of these traces begins, one or more for each, in any order.

        They tell where to read all of a few traces without reading everything. Ids have 16 bytes. With a window those
        of spans that begin outside of it may be missing.
        """

    def traces_outside(self, trace_ids: Collection[bytes], near: Window, around: Window) -> Collection[bytes]:
        """Those of some traces that may have spans which begin in ``around``, but not in ``near``.

        None is missing that has, and of a hundred others about one is among them. Ids have 16 bytes.
        """

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        """Run a statement with bound parameters and return the whole result as an Arrow table."""

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """Run a statement and return its rows as dictionaries (BLOBs as bytes, lists as lists)."""

    def table_names(self, sql: str) -> set[str]:
        """Names of the tables, views and files that a statement reads, by the engine's own rules of scope."""

    def rolled_up(self, rollups: Signal, *, outdated: bool = False) -> Sequence[Window]:
        """Ranges of time whose points of metrics are all in these rollups too, ascending.

        With ``outdated`` also ranges for which points came since, or may have come: for times without points.
        ``start_ns < t <= end_ns`` with t in whole milliseconds: windows of rows begin and end a millisecond later.
        """

    def arrived(self, signal: Signal) -> Arrived:
        """How far the records of this view have arrived; those that come later have a larger ``arrival_order``."""

    def first_ns(self, signal: Signal) -> int | None:
        """The time of the signal's earliest record, in all that is stored; None without any."""

    def service_slot(self, name: str) -> int:
        """The colour slot of a service, 0 to 9, which never changes."""


class QueryError(Exception):
    """A query could not be answered; the message says what to do next."""


class QueryTimeoutError(QueryError):
    """The query ran past its deadline and was stopped."""


class LargeColumnsError(QueryError):
    """Columns of a batch are too large to be read outside of the memory of queries: SQL has to read them."""


class QueryMemoryError(QueryError):
    """The query needed more memory than it may use and was stopped."""
