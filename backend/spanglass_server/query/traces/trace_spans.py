"""The spans of one trace: those that are stored, and those that have not ended, from their announcements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from spanglass_core.trace_nodes import Span
from spanglass_core.trace_times import EARLIEST_NS
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.rows.span_rows import SpanRows, brief_json, open_span_json
from spanglass_server.query.traces.announcements import ENDED, announced_as, announced_rows, of_traces
from spanglass_server.query.traces.identity import Identity, clock_name, first_of_each
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, OfTraces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from spanglass_server.query.answers import SpanState, SpanStatus
    from spanglass_server.query.rows.answers import HeardSpan
    from spanglass_server.query.traces.announcements import OpenSpan
    from spanglass_server.store.ports import QuerySession

_ERROR = "error"


def fetch_spans(session: QuerySession, trace_id: bytes, span_id: bytes | None = None) -> pa.Table:
    """Fetch the stored spans of a trace, or those with an id, whenever it was: segments know their traces."""
    return session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces([trace_id], () if span_id is None else [span_id]))


class ReadSpan(NamedTuple):
    """A span of the answer: what the tree and the sums need of it, and where the rest of it is.

    ``row`` is its row among those that are stored, ``stored``; one that has not ended is made by ``opened``.
    """

    identity: Identity
    in_tree: Span
    status: SpanStatus
    state: SpanState
    row: int | None
    stored: SpanRows
    opened: Callable[[], HeardSpan] | None = None

    @property
    def service(self) -> str:
        """The name of its service."""
        return self.identity.service

    def as_json(self) -> HeardSpan:
        """Make it as the API shows it, without its place in a tree."""
        if self.opened is not None:
            return self.opened()
        span = cast("HeardSpan", self.stored.as_json(cast("int", self.row)))
        span["state"], span["last_heard_time"] = ENDED, None
        return span

    def brief(self) -> dict[str, Any]:
        """Make of it what a waterfall draws."""
        return brief_json(self.as_json()) if self.row is None else self.stored.brief(self.row)

    def called(self) -> tuple[str, str]:
        """Return its name, and what it calls as far as the name does not say it."""
        if self.row is not None:
            return self.stored.called(self.row)
        brief = self.brief()
        return brief["name"], brief["target"]


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
    found = [*_stored(stored)]
    if announced:
        ended = {span.identity.half for span in found}
        still_open = [span for span in announced if span.identity.half not in ended]
        found += _still_open(session, trace_id, still_open, stored)
    spans = [found[place] for place in first_of_each(span.identity for span in found)]
    return TraceSpans(spans, stored, len(found) - len(spans))


def _stored(spans: SpanRows) -> Iterator[ReadSpan]:
    """Take what is needed of the stored spans. Names of clocks and services are made once for those that share them."""
    clocks: dict[tuple[int, str], str] = {}
    resources = spans.plain
    for row in range(spans.count):
        identity, status = spans.identity(row), spans.status(row)
        resource = resources.of_record("resource", row)
        of_clock = id(resource), identity.service  # equal resources are one object
        clock = clocks.get(of_clock)
        if clock is None:
            clock = clocks[of_clock] = _clock(resource, identity.service)
        in_tree = _in_tree(identity, spans.parent_id(row), clock, failed=status == _ERROR)
        if in_tree.start_ns < EARLIEST_NS:
            in_tree = in_tree._replace(first_event_ns=min(spans.items("event_time_ns", row), default=None))
        yield ReadSpan(identity, in_tree, status, ENDED, row, spans)


def _in_tree(identity: Identity, parent_id: bytes | None, clock: str, *, failed: bool) -> Span:
    """Take what the tree needs of a span."""
    return Span(
        identity.span_id,
        parent_id,
        clock,
        identity.start_ns,
        identity.duration_ns,
        identity.service,
        identity.kind,
        failed,
    )


def _still_open(
    session: QuerySession, trace_id: bytes, announced: Sequence[OpenSpan], stored: SpanRows
) -> Iterator[ReadSpan]:
    """Take what is needed of the open spans."""
    if not announced:
        return
    waiting = {span.announced_as: span for span in announced}
    records = LogRows(announced_rows(session, trace_id, announced), session.service_slot)
    for row in range(records.count):
        span = waiting.pop(announced_as(records, row), None)
        if span is not None:  # the newest of its announcements
            clock = _clock(records.plain.of_record("resource", row), span.service)
            in_tree = _in_tree(span.identity, span.parent_id, clock, failed=span.status == _ERROR)
            whole = partial(open_span_json, span, records, row)
            yield ReadSpan(span.identity, in_tree, span.status, span.state, None, stored, whole)


def _clock(resource: Mapping[str, Any], service: str) -> str:
    """Name a span's clock."""
    return clock_name(resource.get("host.id") or resource.get("host.name"), service)
