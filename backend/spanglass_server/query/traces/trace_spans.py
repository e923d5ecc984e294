"""The spans of one trace: those that are stored, and those that have not ended, from their announcements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from spanglass_core.trace_nodes import Span
from spanglass_core.trace_times import EARLIEST_NS
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.rows.span_rows import SpanRows, brief_json, open_span_json
from spanglass_server.query.traces.announcements import ENDED, announced_as, announced_rows, of_traces
from spanglass_server.query.traces.identity import Identity, clock_name, first_of_each
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, OfTraces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from spanglass_server.query.answers import SpanState, SpanStatus
    from spanglass_server.query.rows.answers import HeardSpan
    from spanglass_server.query.rows.stored_rows import Rows
    from spanglass_server.query.traces.announcements import OpenSpan
    from spanglass_server.store.ports import QuerySession

_ERROR = "error"


def fetch_spans(session: QuerySession, trace_id: bytes, span_id: bytes | None = None) -> pa.Table:
    """Fetch the stored spans of a trace, or those with an id, whenever it was: segments know their traces."""
    return session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces([trace_id], () if span_id is None else [span_id]))


@dataclass(frozen=True, slots=True)
class ReadSpan:
    """A span of the answer: what the tree and the sums need of it, and how to make its JSON, in full or brief.

    ``called`` returns its name, and what it calls as far as the name does not say it.
    """

    identity: Identity
    in_tree: Span
    status: SpanStatus
    state: SpanState
    row: int | None  # its row among those that are stored
    as_json: Callable[[], HeardSpan]
    brief: Callable[[], dict[str, Any]]
    called: Callable[[], tuple[str, str]]

    @property
    def service(self) -> str:
        """The name of its service."""
        return self.identity.service


@dataclass(frozen=True, slots=True)
class TraceSpans:
    """Spans of a trace, none of them a copy; those of ``stored`` say by ``row`` which of its rows they are."""

    spans: Sequence[ReadSpan]
    stored: SpanRows
    copies: int


def read_spans(session: QuerySession, trace_id: bytes, now_ns: int, span_id: bytes | None = None) -> TraceSpans:
    """Read all spans of a trace, or those with an id. One that is stored has ended, whatever was announced."""
    # announcements first: reading them has what waits stored, and the spans are to be those of the same moment
    announced = [span for span in of_traces(session, [trace_id], ALL_TIME, now_ns) if span_id in (None, span.span_id)]
    stored = SpanRows(fetch_spans(session, trace_id, span_id), session.service_slot)
    found = [_stored(stored, row) for row in range(stored.count)]
    if announced:
        ended = {span.identity.half for span in found}
        found += _still_open(session, trace_id, [span for span in announced if span.identity.half not in ended])
    spans = [found[place] for place in first_of_each(span.identity for span in found)]
    return TraceSpans(spans, stored, len(found) - len(spans))


def _stored(spans: SpanRows, row: int) -> ReadSpan:
    """Take what is needed of a stored span."""
    identity = spans.identity(row)
    failed = spans.status(row) == _ERROR
    in_tree = _in_tree(identity, spans.parent_id(row), _clock(spans, row, identity.service), failed=failed)
    if in_tree.start_ns < EARLIEST_NS:
        in_tree = replace(in_tree, first_event_ns=min(spans.items("event_time_ns", row), default=None))

    def as_json() -> HeardSpan:
        span = cast("HeardSpan", spans.as_json(row))
        span["state"], span["last_heard_time"] = ENDED, None
        return span

    return ReadSpan(identity, in_tree, spans.status(row), ENDED, row, as_json, partial(spans.brief, row),
                    partial(spans.called, row))  # fmt: skip


def _in_tree(identity: Identity, parent_id: bytes | None, clock: str, *, failed: bool) -> Span:
    """Take what the tree needs of a span."""
    return Span(
        span_id=identity.span_id,
        parent_id=parent_id,
        clock=clock,
        start_ns=identity.start_ns,
        duration_ns=identity.duration_ns,
        service=identity.service,
        kind=identity.kind,
        failed=failed,
    )


def _still_open(session: QuerySession, trace_id: bytes, announced: Sequence[OpenSpan]) -> Iterator[ReadSpan]:
    """Take what is needed of the open spans."""
    if not announced:
        return
    waiting = {span.announced_as: span for span in announced}
    records = LogRows(announced_rows(session, trace_id, announced), session.service_slot)
    for row in range(records.count):
        span = waiting.pop(announced_as(records, row), None)
        if span is not None:  # the newest of its announcements
            clock = _clock(records, row, span.service)
            in_tree = _in_tree(span.identity, span.parent_id, clock, failed=span.status == _ERROR)
            whole = partial(open_span_json, span, records, row)
            brief, called = partial(_brief, whole), partial(_called, whole)
            yield ReadSpan(span.identity, in_tree, span.status, span.state, None, whole, brief, called)


def _brief(whole: Callable[[], HeardSpan]) -> dict[str, Any]:
    return brief_json(whole())


def _called(whole: Callable[[], HeardSpan]) -> tuple[str, str]:
    brief = _brief(whole)
    return brief["name"], brief["target"]


def _clock(records: Rows, row: int, service: str) -> str:
    """Name a span's clock."""
    resource = records.plain.of_record("resource", row)
    host = resource.get("host.id") or resource.get("host.name")
    return clock_name(host, service)
