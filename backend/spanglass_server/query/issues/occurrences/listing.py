"""Occurrences of an issue, a page at a time, and where one stands among them.

An occurrence has no id of its own that every sender gives; it is known by its time and a digest of the place that told
it, which stays when it is grouped anew.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from spanglass_server.query.cursors import Cursor
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.language.intrinsics import OCCURRENCE_SOURCES
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.signals import Signal, quote_identifier
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.issues.model import IssueSummary
    from spanglass_server.query.issues.answers import Occurrence, OccurrenceList
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession

Row = dict[str, Any]

LATEST, FIRST = "latest", "first"
COLUMNS = (
    *("time_ns", "issue_key", "service_name", "release", "environment", "user", "trace_id", "span_id", "source"),
    *("record_time_ns", "event_index", "record_order", "type", "message", "culprit", "handled"),
)
#: What tells occurrences of one time apart, as one number. A null part hashes as any other value does.
IDENTITY = Sql("hash(source, trace_id, span_id, record_time_ns, event_index, record_order)")
SELECTED = Sql(", ".join(map(quote_identifier, COLUMNS)))
_DIGEST = struct.Struct(">Q")
_ORDERS = {True: "occurrences desc", False: "occurrences asc"}


def list_occurrences(
    session: QuerySession, issues: KnownIssues, issue_id: str, *, at: str, limit: int, cursor: str | None
) -> OccurrenceList:
    """Answer ``GET /api/v1/issues/{issue}/occurrences``: the latest first, or the first, or those from one on back."""
    issue = issues.summary(issue_id)
    descending = at != FIRST
    after = Cursor.decode(cursor, _ORDERS[descending], id_bytes=_DIGEST.size)
    bounds = _past(after.value, _digest_of(after), descending=descending) if after else TRUE
    if after is None and at not in (LATEST, FIRST):
        time_ns, digest = read_id(at, "at")
        bounds = _past(time_ns, digest, descending=True, inclusive=True)
    found = _find(session, issue, ALL_TIME, bounds, limit + 1, descending=descending)
    shown = found[:limit]
    next_cursor = None
    if len(found) > limit:
        next_cursor = Cursor(shown[-1]["time_ns"], _DIGEST.pack(shown[-1]["digest"])).encode(_ORDERS[descending])
    return {
        "issue": issue.id,
        "occurrences": [as_json(session, issue.id, row) for row in shown],
        "next_cursor": next_cursor,
    }


def find_occurrence(session: QuerySession, issue: IssueSummary, occurrence_id: str) -> Row:
    """Find one of an issue by its id, or by ``latest`` or ``first``; BadQuestionError (not_found) if there is none."""
    window, bounds = ALL_TIME, TRUE
    if occurrence_id not in (LATEST, FIRST):
        time_ns, digest = read_id(occurrence_id, "occurrence")
        window, bounds = Window(time_ns, time_ns + 1), Sql(f"digest = {digest:d}::UBIGINT")
    found = _find(session, issue, window, bounds, 1, descending=occurrence_id != FIRST)
    if not found:
        raise BadQuestionError(
            f"{issue.id} has no occurrence {occurrence_id!r} that is stored",
            field="occurrence",
            hint=f"GET /api/v1/issues/{issue.id}/occurrences lists them",
            code="not_found",
        )
    return found[0]


def neighbour(session: QuerySession, issue: IssueSummary, row: Row, *, before: bool) -> str | None:
    """Return the id of the occurrence before one in time, or after it."""
    window = Window(0, row["time_ns"] + 1) if before else Window(row["time_ns"], ALL_TIME.end_ns)
    past = _past(row["time_ns"], row["digest"], descending=before)
    found = _find(session, issue, window, past, 1, descending=before)
    return id_of(found[0]) if found else None


def _find(
    session: QuerySession, issue: IssueSummary, window: Window, bounds: Sql, count: int, *, descending: bool
) -> list[Row]:
    return rows(
        session,
        statement(
            "issues/occurrences",
            columns=SELECTED,
            digest=IDENTITY,
            relation=Sql(session.relation(Signal.OCCURRENCES, window, COLUMNS)),
            keys=one_of(issue.keys),
            bounds=bounds,
            direction=Sql("DESC" if descending else "ASC"),
            count=count,
        ),
    )


def _past(time_ns: int, digest: int, *, descending: bool, inclusive: bool = False) -> Sql:
    sign, same = ("<" if descending else ">"), ("=" if inclusive else "")
    return Sql(f"(time_ns {sign} {time_ns:d} OR (time_ns = {time_ns:d} AND digest {sign}{same} {digest:d}::UBIGINT))")


def _digest_of(cursor: Cursor) -> int:
    return int(_DIGEST.unpack(cursor.id)[0])


def id_of(row: Row) -> str:
    """Return an occurrence's id."""
    return f"{row['time_ns']:x}-{row['digest']:016x}"


def read_id(text: str, field: str) -> tuple[int, int]:
    """Return the time and digest of an id; BadQuestionError for a text that is none."""
    time, _, digest = text.partition("-")
    try:
        time_ns, number = int(time, 16), int(digest, 16)
    except ValueError:
        time_ns, number = -1, -1
    if not (0 <= time_ns < ALL_TIME.end_ns and 0 <= number < 2**64):
        raise BadQuestionError(
            f"{text!r} is no id of an occurrence", field=field, hint=f"take one of a list, or {LATEST} or {FIRST}"
        )
    return time_ns, number


def as_json(session: QuerySession, issue_id: str, row: Row) -> Occurrence:
    """Write an occurrence of an issue."""
    return {
        "id": id_of(row),
        "time": format_time(row["time_ns"]),
        "issue": issue_id,
        "service": row["service_name"],
        "slot": session.service_slot(row["service_name"]),
        "release": row["release"],
        "environment": row["environment"],
        "user": row["user"],
        "trace_id": _hex(row["trace_id"]),
        "span_id": _hex(row["span_id"]),
        "source": OCCURRENCE_SOURCES[row["source"]],
        "type": row["type"] or "",
        "message": row["message"] or "",
        "culprit": row["culprit"] or "",
        "handled": row["handled"],
    }


def _hex(value: bytes | None) -> str | None:
    return value.hex() if value else None
