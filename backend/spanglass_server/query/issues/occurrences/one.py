"""One occurrence whole: its exception as the span or log record sent it, and what happened just before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.query.issues.occurrences.listing import as_json, find_occurrence, neighbour
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.record_pages import Place, find_page
from spanglass_server.query.records import match_records
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.rows.span_rows import SpanRows
from spanglass_server.query.rows.stored_rows import fetch_rows
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.store.ports import OfTraces, Window
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.query.issues.answers import ExceptionSent, OccurrencePage
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.query.rows.answers import Log, Span
    from spanglass_server.store.ports import QuerySession

Row = dict[str, Any]

_SHOWN_BEFORE = 20
#: How far back is looked: in a trace, and in a service's logs where there is no trace.
_TRACE_NS, _SERVICE_NS = 3_600 * NS_PER_SECOND, 60 * NS_PER_SECOND


def show_occurrence(session: QuerySession, issues: KnownIssues, issue_id: str, occurrence_id: str) -> OccurrencePage:
    """Answer ``GET /api/v1/issues/{issue}/occurrences/{occurrence}``; the id may be ``latest`` or ``first``."""
    issue = issues.summary(issue_id)
    row = find_occurrence(session, issue, occurrence_id)
    span = _span(session, row) if row["source"] == 0 else None
    log = _log(session, row) if row["source"] else None
    record: Any = span or log
    return {
        **as_json(session, issue.id, row),
        "exception": _exception(row, span, log),
        "attributes": record["attributes"] if record else {},
        "resource": record["resource"] if record else {},
        "span": span,
        "log": log,
        "previous": neighbour(session, issue, row, before=True),
        "next": neighbour(session, issue, row, before=False),
        "logs_before": _logs_before(session, row),
        "spans_before": _spans_before(session, row),
    }


def _span(session: QuerySession, row: Row) -> Span | None:
    """Fetch the span whose event told the exception; None where it is not stored any more."""
    window = Window(row["record_time_ns"], row["record_time_ns"] + 1)
    wanted = OfTraces([row["trace_id"]], [row["span_id"]])
    found = SpanRows(session.trace_rows(Signal.SPANS, window, wanted), session.service_slot)
    return found.as_json(0) if found.count else None


def _log(session: QuerySession, row: Row) -> Log | None:
    """Fetch the log record that told the exception; None where it is not stored any more."""
    time_ns, order = row["record_time_ns"], row["record_order"]
    where = Sql("time_ns = ? AND arrival_order = ?", (time_ns, order))
    found = LogRows(fetch_rows(session, Signal.LOGS, Window(time_ns, time_ns + 1), where), session.service_slot)
    return found.as_json(0, Place(time_ns, order or 0).id) if found.count else None


def _exception(row: Row, span: Span | None, log: Log | None) -> ExceptionSent | None:
    """Return the exception as its record tells it."""
    if span is not None:
        index = row["event_index"]
        if index is None or index >= len(span["events"]):
            return None
        said = span["events"][index]["attributes"]
    elif log is not None:
        said = log["attributes"]
    else:
        return None
    return {
        "type": str(said.get("exception.type", "")),
        "message": str(said.get("exception.message", "")),
        "stacktrace": str(said.get("exception.stacktrace", "")),
        "attributes": said,
    }


def _logs_before(session: QuerySession, row: Row) -> list[Log]:
    """Return the last log records of its trace before it, or of its service where it has none; the newest first."""
    trace_id, time_ns = row["trace_id"], row["time_ns"]
    window = clamp(time_ns - (_TRACE_NS if trace_id else _SERVICE_NS), time_ns)
    records = match_records(session, Signal.LOGS, window)
    if trace_id:
        near = Sql(f"trace_id IN {one_of([trace_id]).text}")
        records = replace(records.restricted(near, "trace_id"), trace_ids=frozenset({trace_id}))
    else:
        records = records.restricted(Sql(f'"{SERVICE}" = ?', (row["service_name"],)), SERVICE)
    page = find_page(session, records, None, _SHOWN_BEFORE, descending=True)
    table = LogRows(page.table, session.service_slot)
    return [table.as_json(place, each.id) for place, each in enumerate(page.places)]


def _spans_before(session: QuerySession, row: Row) -> list[Span]:
    """Return the last spans of its trace that began before it, without its own; the newest first."""
    trace_id = row["trace_id"]
    if not trace_id:
        return []
    window = clamp(row["time_ns"] - _TRACE_NS, row["time_ns"])
    relation = session.relation(Signal.SPANS, window, ("trace_id", "span_id", "start_time_ns"), trace_ids=[trace_id])
    near = rows(
        session,
        statement(
            "issues/spans_before",
            relation=Sql(relation),
            trace_ids=one_of([trace_id]),
            own=one_of([row["span_id"] or b""]),
            count=_SHOWN_BEFORE,
        ),
    )
    if not near:
        return []
    times = [span["start_time_ns"] for span in near]
    wanted = OfTraces([trace_id], [span["span_id"] for span in near])
    window = Window(min(times), max(times) + 1)
    table = SpanRows(session.trace_rows(Signal.SPANS, window, wanted), session.service_slot)
    spans = [table.as_json(place) for place in range(table.count)]
    return sorted(spans, key=lambda span: span["start_time"], reverse=True)
