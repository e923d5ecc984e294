"""Pages of records that have no id of their own: log records and data points.

Those of one time are in no order of their own, and two may be equal in everything. So that each is shown once, a page
is ordered by time and a digest of the record, and its cursor counts the equal records that were shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from spanglass_server.query.cursors import Cursor
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.sql import TRUE, Sql
from spanglass_server.query.statements import rows, run, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import FIXED_COLUMNS, quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession

#: What cursors of pages are written for, by whether the newest comes first.
ORDERS = {True: "time desc", False: "time asc"}
_DIGEST_BYTES = 8
_COUNT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A record's place: its time, its digest, and how many records up to it are equal to it."""

    time_ns: int
    digest: int
    equals: int

    @classmethod
    def decode(cls, text: str | None, order: str) -> Place | None:
        """Read a client's cursor, None for none; BadQuestionError for one of another order or of other pages."""
        cursor = Cursor.decode(text, order)
        if cursor is None:
            return None
        if len(cursor.id) != _DIGEST_BYTES + _COUNT_BYTES:
            raise BadQuestionError(
                "this is not a cursor of these pages", field="cursor", hint="leave it out to begin again"
            )
        digest, equals = cursor.id[:_DIGEST_BYTES], cursor.id[_DIGEST_BYTES:]
        return cls(cursor.value, int.from_bytes(digest), int.from_bytes(equals))

    def encode(self, order: str) -> str:
        """Write the place as a cursor of an order."""
        place = self.digest.to_bytes(_DIGEST_BYTES) + self.equals.to_bytes(_COUNT_BYTES)
        return Cursor(self.time_ns, place).encode(order)

    @property
    def id(self) -> str:
        """The record's id: the same in every answer while the record is stored."""
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
    session: QuerySession, records: Records, start: Place | None, limit: int, *, descending: bool
) -> RecordPage:
    """Find the records after a place, at most ``limit``, with every column that any of them has."""
    near = _near(session, records, start, limit + 1, descending=descending)
    direction = Sql("DESC" if descending else "ASC")
    skipped = start.equals if start else 0
    columns = list(dict.fromkeys([*FIXED_COLUMNS[records.signal], *near.known]))  # both may name the overflow
    table = run(
        session,
        statement(
            "record_page",
            identity=_digest(columns),
            relation=near.relation(session, columns),
            where=near.predicate,
            after=_after(start, descending=descending),
            direction=direction,
            count=limit + 1 + skipped,
        ),
    )
    pairs = zip(table["time_ns"].to_pylist(), table["identity"].to_pylist(), strict=True)
    places = list(_counted(pairs))
    if start:
        # equal records count on from one page to the next; those shown already are the first of them
        seen = sum(1 for place in places if (place.time_ns, place.digest) == (start.time_ns, start.digest))
        done = min(seen, start.equals)
        table, places = table.slice(done), places[done:]
    return RecordPage(table.slice(0, limit), places[:limit], len(places) > limit)


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
    """Write a digest of a record that stays the same when other records bring new columns.

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
    text = f"(time_ns {sign} ? OR (time_ns = ? AND identity {sign}= ?::UBIGINT))"
    return Sql(text, (start.time_ns, start.time_ns, start.digest))


def _counted(pairs: Iterable[tuple[int, int]]) -> Iterable[Place]:
    """Give places to records in order, counting those that are equal."""
    previous, equals = None, 0
    for time_ns, digest in pairs:
        equals = equals + 1 if (time_ns, digest) == previous else 1
        previous = (time_ns, digest)
        yield Place(time_ns, digest, equals)
