"""Pages of records that have no id of their own: log records and data points.

Log records of one time are in the order of their arrival. Data points have none, and two may be equal in everything: so
that each is shown once, a page is ordered by a digest of the record then, and its cursor counts the equal ones that
were shown.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from spanglass_server.query.cursors import Cursor
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.statements import rows, run, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import FIXED_COLUMNS, Signal, quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession

#: What cursors of pages are written for, by whether the newest comes first.
ORDERS = {True: "time desc", False: "time asc"}
#: SQL that stands behind a list of columns, and what it reads.
Shown = tuple[Sql, frozenset[str]]
NO_MORE: Shown = (Sql(""), frozenset())
_KEY = ("time_ns", "arrived", "identity")
_PLACE = struct.Struct(">QQI")  # arrival order, digest, equals

#: The arrival order of a record, 0 where it has none.
_ARRIVAL = {Signal.LOGS: Sql("coalesce(arrival_order, 0)"), Signal.METRICS: Sql("0::BIGINT")}


@dataclass(frozen=True, slots=True)
class Place:
    """A record's place: its time and arrival order; without the latter its digest, and how many equal ones come first.

    ``equals`` counts the record itself.
    """

    time_ns: int
    order: int
    digest: int = 0
    equals: int = 1

    @classmethod
    def decode(cls, text: str | None, order: str) -> Place | None:
        """Read a client's cursor, None for none; BadQuestionError for one of another order or of other pages."""
        cursor = Cursor.decode(text, order, id_bytes=_PLACE.size)
        if cursor is None:
            return None
        return cls(cursor.value, *_PLACE.unpack(cursor.id))

    def encode(self, order: str) -> str:
        """Write the place as a cursor of an order."""
        return Cursor(self.time_ns, _PLACE.pack(self.order, self.digest, self.equals)).encode(order)

    @property
    def key(self) -> tuple[int, int, int]:
        """What pages are sorted by."""
        return self.time_ns, self.order, self.digest

    @property
    def id(self) -> str:
        """The record's id: the same in every answer while the record is stored."""
        if self.order:
            return f"{self.time_ns:x}-{self.order:x}"
        return f"{self.time_ns:x}-{self.digest:016x}-{self.equals}"


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page: its records as they are stored, and where each stands."""

    table: pa.Table
    places: list[Place]
    has_more: bool

    def next_cursor(self, *, descending: bool) -> str | None:
        """Where the next page begins; None on the last."""
        return self.places[-1].encode(ORDERS[descending]) if self.has_more else None


def find_page(
    session: QuerySession,
    records: Records,
    start: Place | None,
    limit: int,
    *,
    descending: bool,
    shown: Shown = NO_MORE,
) -> RecordPage:
    """Find the records after a place, at most ``limit``, with every column that any of them has and those ``shown``."""
    near = _near(session, records, start, limit + 1, descending=descending)
    direction = Sql("DESC" if descending else "ASC")
    skipped = start.equals if start else 0
    columns = list(dict.fromkeys([*FIXED_COLUMNS[records.signal], *near.known]))  # both may name the overflow
    table = run(
        session,
        statement(
            "record_page",
            arrival=_ARRIVAL[records.signal],
            identity=_digest(columns),
            shown=shown[0],
            relation=near.relation(session, shown[1].union(columns)),
            where=near.predicate,
            after=_after(start, descending=descending),
            direction=direction,
            count=limit + 1 + skipped,
        ),
    )
    places = list(_counted(zip(*(table[name].to_pylist() for name in _KEY), strict=True)))
    if start:
        # equal records count on from one page to the next; those shown already are the first of them
        seen = sum(1 for place in places if place.key == start.key)
        done = min(seen, start.equals)
        table, places = table.slice(done), places[done:]
    return RecordPage(table.slice(0, limit), places[:limit], len(places) > limit)


def shown_columns(records: Records, keys: Sequence[str]) -> Shown:
    """SQL for the values of keys, as ``shown_0``, ``shown_1`` ..."""
    found = [records.expression(key, "columns") for key in keys]
    parts = [f", {sql.text} AS shown_{place}" for place, (sql, _) in enumerate(found)]
    parameters = tuple(value for sql, _ in found for value in sql.parameters)
    return Sql("".join(parts), parameters), frozenset[str]().union(*(read for _, read in found))


def _near(session: QuerySession, records: Records, start: Place | None, count: int, *, descending: bool) -> Records:
    """Narrow the range to where the page's records are, so that all columns are read only of these.

    Records at the cursor's own time belong to the range besides the ``count`` that are counted past it.
    """
    window = records.window
    if start and descending:
        window = clamp(window.start_ns, min(window.end_ns, start.time_ns))
    elif start:
        window = clamp(max(window.start_ns, start.time_ns + 1), window.end_ns)
    past = records.narrowed(window)
    edge = rows(
        session,
        statement(
            "record_edge",
            relation=past.relation(session, ()),
            where=past.predicate,
            direction=Sql("DESC" if descending else "ASC"),
            count=count,
        ),
    )[0]
    whole = edge["found"] < count
    first_ns, last_ns = records.window.start_ns, records.window.end_ns
    if descending:
        first_ns = first_ns if whole else edge["edge_ns"]
        last_ns = min(last_ns, start.time_ns + 1) if start else last_ns
    else:
        first_ns = max(first_ns, start.time_ns) if start else first_ns
        last_ns = last_ns if whole else edge["far_ns"] + 1
    return records.narrowed(clamp(first_ns, last_ns))


def _digest(columns: Iterable[str]) -> Sql:
    """SQL for a digest of a record that stays the same when other records bring new columns.

    Only values that are there go in, each with its column's name, joined by xor: order and absent columns are nothing.
    The outer hash binds value and name: ``hash(a, b)`` alone is a product xor ``hash(b)``, so that equal values of two
    columns would cancel each other out.
    """
    parts = [
        f"CASE WHEN {quote_identifier(name)} IS NULL THEN 0::UBIGINT "
        f"ELSE hash(hash({quote_identifier(name)}, {quote_text(name)})) END"
        for name in columns
    ]
    while len(parts) > 1:  # in pairs, so that the nesting stays far from DuckDB's limit of 1000
        pairs = zip_longest(parts[::2], parts[1::2])
        parts = [left if right is None else f"xor({left}, {right})" for left, right in pairs]
    return Sql(parts[0])


def _after(start: Place | None, *, descending: bool) -> Sql:
    """Write that a record comes after a place, or is equal to the record there."""
    if start is None:
        return TRUE
    sign = "<" if descending else ">"
    same_time = f"arrived {sign} ? OR (arrived = ? AND identity {sign}= ?::UBIGINT)"
    text = f"(time_ns {sign} ? OR (time_ns = ? AND ({same_time})))"
    return Sql(text, (start.time_ns, start.time_ns, start.order, start.order, start.digest))


def _counted(keys: Iterable[tuple[int, int, int]]) -> Iterable[Place]:
    """Place records in order, counting those that are equal."""
    previous, equals = None, 0
    for key in keys:
        equals = equals + 1 if key == previous else 1
        previous = key
        yield Place(*key, equals)
