"""The spans of one trace: those that are stored, and those that have not ended, from their announcements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from spanglass_core.ids import id_or_none
from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_times import EARLIEST_NS
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.rows.span_rows import SpanRows, brief_json, open_span_json
from spanglass_server.query.trace_tree.arrays import SpanLists
from spanglass_server.query.traces.announcements import ENDED, announced_as, announced_rows, of_traces
from spanglass_server.query.traces.identity import Identity, clock_name, first_of_each, keys
from spanglass_server.service_names import SERVICE
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
#: What names the host whose clock measured a span.
_HOST = frozenset({"host.id", "host.name"})


def fetch_spans(session: QuerySession, trace_id: bytes, span_id: bytes | None = None) -> pa.Table:
    """Fetch the stored spans of a trace, or those with an id, whenever it was: segments know their traces."""
    return session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces([trace_id], () if span_id is None else [span_id]))


@dataclass(frozen=True, slots=True)
class TraceSpans:
    """Spans of a trace, none of them a copy, as one list a field: stored ones first, then those that have not ended.

    ``rows`` says which of the rows of ``stored`` they are; one that has not ended, and has None there, is made by
    ``opened``.
    """

    lists: SpanLists
    statuses: Sequence[SpanStatus]
    states: Sequence[SpanState]
    rows: Sequence[int | None]
    opened: Mapping[int, Callable[[], HeardSpan]]
    stored: SpanRows
    copies: int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.rows)

    def keys(self) -> list[str]:
        """Return a short text for each span that no other has (``identity.keys``)."""
        ids = self.lists.ids
        return [one.hex() for one in ids] if len(set(ids)) == len(ids) else keys([*self.identities()])

    def identities(self) -> Iterator[Identity]:
        """Yield what tells each span from the others."""
        spans = self.lists
        return map(Identity, spans.ids, spans.kinds, spans.services, spans.starts_ns, spans.durations_ns)

    def as_json(self, place: int) -> HeardSpan:
        """Make a span as the API shows it, without its place in a tree; attributes of all are read at once."""
        row = self.rows[place]
        return self.opened[place]() if row is None else _ended(self.stored, row)

    def alone(self, place: int) -> HeardSpan:
        """Make the same, with nothing read of the spans beside it."""
        row = self.rows[place]
        return self.opened[place]() if row is None else _ended(self.stored.only(row), 0)

    def brief(self, place: int) -> dict[str, Any]:
        """Make of a span what a waterfall draws."""
        row = self.rows[place]
        return brief_json(self.as_json(place)) if row is None else self.stored.brief(row)

    def events(self, place: int) -> Sequence[Mapping[str, Any]]:
        """Return the events of a span as the API shows them, but for their times."""
        row = self.rows[place]
        return () if row is None else self.stored.undated_events(row)


def _ended(stored: SpanRows, row: int) -> HeardSpan:
    span = cast("HeardSpan", stored.as_json(row))
    span["state"], span["last_heard_time"] = ENDED, None
    return span


def read_spans(session: QuerySession, trace_id: bytes, now_ns: int, span_id: bytes | None = None) -> TraceSpans:
    """Read all spans of a trace, or those with an id. One that is stored has ended, whatever was announced."""
    # announcements first: reading them has what waits stored, and the spans are to be those of the same moment
    announced = [span for span in of_traces(session, [trace_id], ALL_TIME, now_ns) if span_id in (None, span.span_id)]
    stored = SpanRows(fetch_spans(session, trace_id, span_id), session.service_slot)
    found = _stored(stored)
    if not announced:
        return _without_copies(found)
    ended = {identity.half for identity in found.identities()}
    still_open = [span for span in announced if span.identity.half not in ended]
    return _without_copies(_with_open(found, [*_still_open(session, trace_id, still_open)]))


def _stored(spans: SpanRows) -> TraceSpans:
    """Take what is needed of the stored spans."""
    columns = spans.columns
    starts_ns = columns["start_time_ns"]
    first_events_ns: list[int | None] = [None] * spans.count
    for row in [row for row, at in enumerate(starts_ns) if at < EARLIEST_NS]:
        first_events_ns[row] = min(spans.items("event_time_ns", row), default=None)
    lists = SpanLists(
        ids=columns["span_id"],
        parent_ids=[*map(id_or_none, columns["parent_span_id"])],
        clocks=_clocks(spans),
        starts_ns=starts_ns,
        durations_ns=columns["duration_ns"],
        services=spans.services,
        kinds=spans.kinds,
        failed=[status == _ERROR for status in spans.statuses],
        first_events_ns=first_events_ns,
    )
    return TraceSpans(lists, spans.statuses, [ENDED] * spans.count, range(spans.count), {}, spans, 0)


def _clocks(spans: SpanRows) -> list[str]:
    """Name the clock of each stored span; once for those that share host and service."""
    alike = spans.plain.kinds("resource", _HOST, (SERVICE,))
    if alike is not None:
        services = [spans.services[row] for row in alike.firsts]
        names = [_clock(alike.attributes.of_record("resource", at), name) for at, name in enumerate(services)]
        return [names[one] for one in alike.of_row]
    known: dict[tuple[int, str], str] = {}
    found = []
    for row, service in enumerate(spans.services):
        resource = spans.plain.of_record("resource", row)  # equal ones may be one object
        of_clock = id(resource), service
        if of_clock not in known:
            known[of_clock] = _clock(resource, service)
        found.append(known[of_clock])
    return found


def _without_copies(found: TraceSpans) -> TraceSpans:
    """Leave out what is a copy of an earlier span."""
    if len(set(found.lists.ids)) == found.count:
        return found
    kept = first_of_each(found.identities())
    opened = {at: found.opened[place] for at, place in enumerate(kept) if place in found.opened}
    statuses, states, rows = ([all_[place] for place in kept] for all_ in (found.statuses, found.states, found.rows))
    return TraceSpans(found.lists.taken(kept), statuses, states, rows, opened, found.stored, found.count - len(kept))  # type: ignore[arg-type]


class _Open(NamedTuple):
    """A span that has not ended."""

    in_tree: Span
    status: SpanStatus
    state: SpanState
    whole: Callable[[], HeardSpan]


def _with_open(found: TraceSpans, opened: Sequence[_Open]) -> TraceSpans:
    """Add spans that have not ended."""
    return TraceSpans(
        SpanLists.of([*found.lists.spans(), *(span.in_tree for span in opened)]),
        [*found.statuses, *(span.status for span in opened)],
        [*found.states, *(span.state for span in opened)],
        [*found.rows, *([None] * len(opened))],
        {found.count + place: span.whole for place, span in enumerate(opened)},
        found.stored,
        0,
    )


def _still_open(session: QuerySession, trace_id: bytes, announced: Sequence[OpenSpan]) -> Iterator[_Open]:
    """Take what is needed of the open spans."""
    if not announced:
        return
    waiting = {span.announced_as: span for span in announced}
    records = LogRows(announced_rows(session, trace_id, announced), session.service_slot)
    for row in range(records.count):
        span = waiting.pop(announced_as(records, row), None)
        if span is not None:  # the newest of its announcements
            clock = _clock(records.plain.of_record("resource", row), span.service)
            own = span.identity
            in_tree = Span(own.span_id, span.parent_id, clock, own.start_ns, own.duration_ns, own.service, own.kind,
                           span.status == _ERROR)  # fmt: skip
            yield _Open(in_tree, span.status, span.state, partial(open_span_json, span, records, row))


def _clock(resource: Mapping[str, Any], service: str) -> str:
    """Name a span's clock."""
    return clock_name(resource.get("host.id") or resource.get("host.name"), service)
