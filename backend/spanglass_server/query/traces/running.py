"""Which spans are running now, and which were lost with their process."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypedDict

from spanglass_server.query.answers import HexId, Nanoseconds, OpenState, Slot, SpanKind, SpanStatus, Time
from spanglass_server.query.language.compiling.service_sql import is_service
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.traces.announcements import LOST, RUNNING, OpenSpan, open_spans
from spanglass_server.query.traces.identity import COLUMNS, SELECTED, of_row
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.store.ports import QuerySession, Window

#: States that can be asked for.
ANY = "any"
CHOICES = (ANY, RUNNING, LOST)
#: Announcements are stored at their process's time; its clock may be off by this much and they are found.
_SKEW_NS = 900 * NS_PER_SECOND


class OpenSpanShown(TypedDict):
    """A span that has not ended."""

    trace_id: HexId
    span_id: HexId
    parent_span_id: HexId | None
    service: str
    slot: Slot
    name: str
    kind: SpanKind
    status: SpanStatus
    state: OpenState
    start_time: Time
    duration_ns: Nanoseconds
    last_heard_time: Time


class RunningList(TypedDict):
    """The answer of ``GET /api/v1/running``."""

    running: int
    lost: int
    spans: list[OpenSpanShown]


def list_running(
    session: QuerySession,
    window: Window,
    now_ns: int,
    *,
    service: str | None = None,
    state: str = ANY,
    limit: int = 100,
) -> RunningList:
    """Answer ``GET /api/v1/running``: spans that were open in the range, running ones first, then the newest."""
    heard = Sql("received_time_ns >= ?", (window.start_ns,))
    where = all_of([heard, TRUE if service is None else is_service(service)])
    since = clamp(window.start_ns - _SKEW_NS, ALL_TIME.end_ns)
    found = open_spans(session, since, now_ns, before_ns=window.end_ns, where=where)
    spans = still_open(session, found)
    counts = Counter(span.state for span in spans)
    wanted = [span for span in spans if state in (ANY, span.state)]
    wanted.sort(key=lambda span: (span.state != RUNNING, -span.start_ns, span.trace_id, span.span_id))
    return {
        "running": counts[RUNNING],
        "lost": counts[LOST],
        "spans": [_as_json(session, span) for span in wanted[:limit]],
    }


def still_open(session: QuerySession, spans: Sequence[OpenSpan]) -> list[OpenSpan]:
    """Return those of the spans that are not stored: what is stored has ended, though nothing told so."""
    if not spans:
        return []
    starts = [span.start_ns for span in spans]
    trace_ids = {span.trace_id for span in spans}
    relation = session.relation(
        Signal.SPANS, clamp(min(starts), max(starts) + 1), ("trace_id", *COLUMNS), trace_ids=trace_ids
    )
    found = rows(
        session,
        statement(
            "ended_spans",
            identity=SELECTED,
            relation=Sql(relation),
            trace_ids=one_of(trace_ids),
            span_ids=one_of({span.span_id for span in spans}),
        ),
    )
    ended = {(row["trace_id"], of_row(row).half) for row in found}
    return [span for span in spans if (span.trace_id, span.identity.half) not in ended]


def _as_json(session: QuerySession, span: OpenSpan) -> OpenSpanShown:
    """One span of the answer."""
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": None if span.parent_id is None else span.parent_id.hex(),
        "service": span.service,
        "slot": session.service_slot(span.service),
        "name": span.name,
        "kind": span.kind,
        "status": span.status,
        "state": span.state,
        "start_time": format_time(span.start_ns),
        "duration_ns": span.duration_ns,
        "last_heard_time": format_time(span.heard_ns),
    }
