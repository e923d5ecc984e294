"""Following log records: what arrives after an answer, in the order of arrival, whatever times the records have.

A record may arrive long after its time, or with a clock that is ahead. So a follower's place is one in the order of
arrival (``arrival_order``), and no range of time limits what comes after it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from spanglass_server.query.cursors import Cursor
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.record_pages import Place, RecordPage, shown_columns
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import rows, run, statement
from spanglass_server.signals import FIXED_COLUMNS, Signal
from spanglass_server.store.ports import ALL_TIME, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession

_CURSOR = "arrival"
_REST = struct.Struct(">QQQ")  # seen, until, arrived
#: How much earlier than the newest a record may have been received that arrives after it: it waited to be decoded.
_OVERTAKEN_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """A follower's place: everything up to ``order`` was shown, or did not match.

    Of what arrived up to ``seen``, the range of the first answer showed what lies before ``until_ns``: the rest is
    still to come (a clock that is ahead). ``arrived_ns`` is when the newest record of that view was received.
    """

    order: int
    seen: int
    until_ns: int
    arrived_ns: int

    @classmethod
    def after(cls, session: QuerySession, window: Window) -> Mark:
        """The place after an answer over a range."""
        arrived = session.arrived(Signal.LOGS)
        return cls(0, arrived.order, window.end_ns, arrived.time_ns)

    @classmethod
    def decode(cls, text: str) -> Mark:
        """Read a client's cursor; BadQuestionError for one of something else."""
        cursor = Cursor.decode(text, _CURSOR, "after", id_bytes=_REST.size)
        if cursor is None:
            raise BadQuestionError(
                "this is no cursor to follow from", field="after", hint="take newest_cursor of an answer"
            )
        return cls(cursor.value, *_REST.unpack(cursor.id))

    def encode(self) -> str:
        """Write the place as a cursor."""
        return Cursor(self.order, _REST.pack(self.seen, self.until_ns, self.arrived_ns)).encode(_CURSOR)

    @property
    def has_rest(self) -> bool:
        """Whether records of the first view may be left that its range did not show."""
        return self.order < self.seen


@dataclass(frozen=True, slots=True)
class Followed:
    """What is followed: records that match, at most ``limit`` at once, with the values of ``keys``.

    Of more than ``limit`` those that arrived first come first, and the rest with the next question; with ``newest``
    those that arrived last are all that comes.
    """

    filter_text: str
    limit: int
    keys: Sequence[str] = ()
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """Records that arrived, the mark after them, and how many before them are left out for good."""

    page: RecordPage
    mark: Mark
    left_out: int = 0


def follow(session: QuerySession, followed: Followed, mark: Mark) -> Arrived:
    """Find the records that come after a mark."""
    if mark.has_rest:
        window = Window(mark.until_ns, ALL_TIME.end_ns)
        page, left_out = _page(session, followed, window, (mark.order, mark.seen))
        if page.places:
            return Arrived(page, replace(mark, order=_last(page, mark.seen)), left_out)
    arrived = session.arrived(Signal.LOGS)
    window = Window(ALL_TIME.start_ns, ALL_TIME.end_ns, max(mark.arrived_ns - _OVERTAKEN_NS, 0))
    page, left_out = _page(session, followed, window, (max(mark.order, mark.seen), arrived.order))
    last = _last(page, arrived.order)
    return Arrived(
        page, Mark(last, last, mark.until_ns, mark.arrived_ns if page.has_more else arrived.time_ns), left_out
    )


def _last(page: RecordPage, otherwise: int) -> int:
    """The order up to which a page has everything: its last record's, or all there is."""
    return page.places[-1].order if page.has_more else otherwise


def _page(session: QuerySession, followed: Followed, window: Window, orders: tuple[int, int]) -> tuple[RecordPage, int]:
    """The first or newest records of a range whose order is past the first of two and up to the second.

    And how many before them are left out.
    """
    records = _between(match_records(session, Signal.LOGS, window, followed.filter_text), *orders)
    edge = rows(
        session,
        statement(
            "arrived_edge",
            relation=records.relation(session, ()),
            where=records.predicate,
            direction=Sql("DESC" if followed.newest else "ASC"),
            count=followed.limit if followed.newest else followed.limit + 1,
            total=Sql("(SELECT count(*) FROM arrived)" if followed.newest else "NULL"),
        ),
    )[0]
    if not edge["found"]:
        return RecordPage(pa.table({}), [], has_more=False), 0
    near = _between(records, edge["first_order"] - 1, edge["last_order"]).narrowed(
        Window(edge["first_ns"], edge["far_ns"] + 1, window.arrived_ns)
    )
    shown, read = shown_columns(records, followed.keys)
    columns = {*FIXED_COLUMNS[Signal.LOGS], *records.known, *read}
    table = run(
        session,
        statement(
            "arrived_page",
            shown=shown,
            relation=near.relation(session, columns),
            where=near.predicate,
        ),
    )
    pairs = zip(table["time_ns"].to_pylist(), table["arrival_order"].to_pylist(), strict=True)
    places = [Place(time_ns, order) for time_ns, order in pairs]
    limit = followed.limit
    left_out = edge["total"] - edge["found"] if followed.newest else 0
    return RecordPage(table.slice(0, limit), places[:limit], len(places) > limit), left_out


def _between(records: Records, after: int, upto: int) -> Records:
    return records.restricted(Sql("arrival_order > ? AND arrival_order <= ?", (after, upto)), "arrival_order")
