"""Which issues the exceptions of spans and log records belong to, for pages that show these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.ids import read_trace_id
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.issues.occurrences.listing import COLUMNS, IDENTITY, SELECTED, id_of
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.language.intrinsics import OCCURRENCE_SOURCES
from spanglass_server.query.record_pages import Place
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.issues.answers import IssueOfRecord, IssuesOfRecords
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession

MAX_RECORDS = 200
_MOST = 2000
#: So far around the spans of a trace its exceptions may be.
_AROUND_NS = 3_600 * NS_PER_SECOND


def issues_of(
    session: QuerySession, issues: KnownIssues, traces: Sequence[str], logs: Sequence[str], now_ns: int
) -> IssuesOfRecords:
    """Answer ``GET /api/v1/issue-occurrences``: exceptions of traces and of log records, each with its issue."""
    by_key = issues.snapshot().by_key
    found: dict[str, IssueOfRecord] = {}
    for window, where in (*_in_traces(session, traces), *_in_logs(logs)):
        relation = Sql(session.relation(Signal.OCCURRENCES, window, COLUMNS))
        for row in rows(
            session,
            statement(
                "issues/of_records", columns=SELECTED, digest=IDENTITY, relation=relation, where=where, count=_MOST
            ),
        ):
            issue = by_key.get(row["issue_key"])
            if issue is not None:
                found[id_of(row)] = {
                    "occurrence": id_of(row),
                    "issue": issue.id,
                    "title": issue.title,
                    "state": issue.state(now_ns).value,
                    "type": row["type"] or "",
                    "message": row["message"] or "",
                    "trace_id": row["trace_id"].hex() if row["trace_id"] else None,
                    "span_id": row["span_id"].hex() if row["span_id"] else None,
                    "source": OCCURRENCE_SOURCES[row["source"]],
                    "event_index": row["event_index"],
                    "log": Place(row["record_time_ns"], row["record_order"]).id if row["source"] else None,
                }
    return {"occurrences": list(found.values())}


def _in_traces(session: QuerySession, traces: Sequence[str]) -> list[tuple[Window, Sql]]:
    ids = [_trace_id(text) for text in traces]
    if not ids:
        return []
    windows = [window for _, window in session.trace_windows(ids)]
    around = ALL_TIME
    if windows:
        start_ns, end_ns = min(each.start_ns for each in windows), max(each.end_ns for each in windows)
        around = clamp(start_ns - _AROUND_NS, end_ns + _AROUND_NS)
    return [(around, Sql(f"trace_id IN {one_of(ids).text}"))]


def _trace_id(text: str) -> bytes:
    trace_id = read_trace_id(text)
    if trace_id is None:
        raise BadQuestionError(f"{text!r} is no trace id", field="traces", hint="separate ids by commas")
    return bytes.fromhex(trace_id)


def _in_logs(logs: Sequence[str]) -> list[tuple[Window, Sql]]:
    """A record's exception may be told to have happened at another time, but its place is the record's."""
    places = [_place(text) for text in logs]
    if not places:
        return []
    times = [time_ns for time_ns, _ in places]
    where = Sql(f"source = 1 AND record_order IN {one_of([order for _, order in places]).text}")
    return [(clamp(min(times), max(times) + 1), where)]


def _place(text: str) -> tuple[int, int]:
    try:
        time_ns, order = (int(part, 16) for part in text.split("-"))
    except ValueError as error:
        raise BadQuestionError(
            f"{text!r} is no id of a log record", field="logs", hint="take ids of GET /api/v1/logs, separated by commas"
        ) from error
    return min(time_ns, ALL_TIME.end_ns - 1), min(order, 2**63 - 1)
