"""Summaries of traces, from the few columns of their spans that a list of traces shows; all of a trace counts.

Added up here and not in SQL: a page has some hundreds of spans, and planning the query took ten times as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_times import horizon_ns
from spanglass_core.traces.trace_tree import build_tree
from spanglass_server.query.answers import HexId, Nanoseconds, Slot, Time
from spanglass_server.query.traces.announcements import RUNNING
from spanglass_server.query.traces.identity import Identity, clock_name, kind_name
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from spanglass_server.query.traces.announcements import OpenSpan

    #: Returns the time of the first event of the spans of some traces whose start is unknown, by trace and identity.
    FirstEvents = Callable[[Collection[bytes]], Mapping[tuple[bytes, Identity], int]]

_ERROR, _FAILED = 2, "error"
_SERVER, _CLIENT = 2, 3
#: Where more clients share an id the tree is built: that costs less than comparing all of them.
_FEW = 8
_NO_PARENT = (None, b"", bytes(8))


class ServiceSpans(TypedDict):
    """A service of a trace."""

    service: str
    slot: Slot
    spans: int
    errors: int


class TraceCounts(TypedDict):
    """What is said of any trace."""

    trace_id: HexId
    start_time: Time
    duration_ns: Nanoseconds
    span_count: int
    error_count: int
    running_count: int
    lost_count: int


class ListedTrace(TraceCounts):
    """A trace in a list of traces."""

    root_service: str
    root_operation: str
    root_missing: bool
    matched_spans: int
    services: list[ServiceSpans]


@dataclass(slots=True)
class Summary:
    """One trace, as far as its spans have been added. ``first_match_ns`` is when its first matching span started."""

    trace_id: bytes
    start_ns: int
    end_ns: int
    error_count: int = 0
    matched_spans: int = 0
    first_match_ns: int | None = None
    #: Its spans by their identities, kinds as numbers: parent, clock (a host, else None) and whether they failed.
    spans: dict[tuple[bytes, int, str, int, int], tuple[bytes | None, str | None, bool]] = field(default_factory=dict)
    running_count: int = 0
    lost_count: int = 0
    #: Spans, errors and the first start of each service.
    services: dict[str, list[int]] = field(default_factory=dict)
    #: What makes a span the root, smallest first: whether it has a parent, its start and id; then service and name.
    root: tuple[bool, int, bytes, str, str] | None = None

    @property
    def root_missing(self) -> bool:
        """Whether every span names a parent."""
        return self.root is None or self.root[0]

    @property
    def figures(self) -> dict[str, int]:
        """What traces can be sorted by besides time."""
        open_count = self.running_count + self.lost_count
        duration_ns = self.end_ns - self.start_ns
        return {"duration": duration_ns, "spans": len(self.spans) + open_count, "errors": self.error_count}

    def as_json(self, slot_of: Callable[[str], int]) -> ListedTrace:
        """Return the trace as a list of traces shows it; without a root, its first span stands in for it."""
        service, operation = self.root[3:] if self.root is not None else ("", "")
        services = sorted(self.services.items(), key=lambda item: (item[1][2], item[0]))
        return {
            "trace_id": self.trace_id.hex(),
            "root_service": service,
            "root_operation": operation,
            "root_missing": self.root_missing,
            "start_time": format_time(self.start_ns),
            "duration_ns": self.figures["duration"],
            "span_count": self.figures["spans"],
            "error_count": self.error_count,
            "running_count": self.running_count,
            "lost_count": self.lost_count,
            "matched_spans": self.matched_spans,
            "services": [
                {"service": name, "slot": slot_of(name), "spans": spans, "errors": errors}
                for name, (spans, errors, _) in services
            ],
        }

    def add(self, start_ns: int, end_ns: int, service: str, *, is_error: bool) -> None:
        """Count a span."""
        self.start_ns = min(self.start_ns, start_ns)
        self.end_ns = max(self.end_ns, end_ns)
        self.error_count += is_error
        counts = self.services.setdefault(service, [0, 0, start_ns])
        counts[0] += 1
        counts[1] += is_error
        counts[2] = min(counts[2], start_ns)

    def stand_at_root(self, candidate: tuple[bool, int, bytes, str, str]) -> None:
        """Let a span be the root, if it fits better than the one so far."""
        self.root = candidate if self.root is None else min(self.root, candidate)


def add_up(spans: Iterable[tuple[Any, ...]]) -> dict[bytes, Summary]:
    """Add up spans by trace: values as in ``trace_spans.sql``, spans in any order. One sent twice counts once."""
    summaries: dict[bytes, Summary] = {}
    for trace_id, span_id, kind, service, start_ns, duration_ns, parent_id, status, name, host, matched in spans:
        summary = summaries.get(trace_id)
        if summary is None:
            summary = summaries[trace_id] = Summary(trace_id, start_ns, start_ns)
        identity = (span_id, kind, service, start_ns, duration_ns)
        if identity in summary.spans:
            continue
        summary.spans[identity] = (parent_id, host, status == _ERROR)
        summary.add(start_ns, start_ns + duration_ns, service, is_error=status == _ERROR)
        if matched:
            summary.matched_spans += 1
            summary.first_match_ns = min(start_ns, summary.first_match_ns or start_ns)
        summary.stand_at_root((parent_id not in _NO_PARENT, start_ns, span_id, service, name or ""))
    return summaries


def place(summaries: Iterable[Summary], opened: Iterable[OpenSpan], first_events: FirstEvents) -> None:
    """Let traces begin and end where their pages show them; ``opened`` are the open spans counted in them.

    ``first_events`` is asked for the few traces that have spans whose start is unknown.
    """
    moved = {summary.trace_id: summary for summary in summaries if not _is_as_recorded(summary)}
    if not moved:
        return
    open_spans: dict[bytes, list[OpenSpan]] = {trace_id: [] for trace_id in moved}
    for span in opened:
        if span.trace_id in moved:
            open_spans[span.trace_id].append(span)
    unknown = {trace_id for trace_id, summary in moved.items() if summary.start_ns < horizon_ns(summary.end_ns)}
    events = first_events(unknown) if unknown else {}
    for trace_id, summary in moved.items():
        _place(summary, open_spans[trace_id], events)


def _is_as_recorded(summary: Summary) -> bool:
    """Whether the times of a trace are certainly those that were recorded; of nearly all they are.

    So trees are built of the others only. What
    ``spanglass_core.traces.trace_times`` moves are starts that are unknown, and
    server spans that another clock shows outside of their clients.
    """
    if summary.start_ns < horizon_ns(summary.end_ns):
        return False
    clients: dict[bytes, list[tuple[str, int, int]]] = {}
    for (span_id, kind, service, start_ns, duration_ns), (_, host, _) in summary.spans.items():
        if kind == _CLIENT:
            clients.setdefault(span_id, []).append((clock_name(host, service), start_ns, start_ns + duration_ns))
    if any(len(sharing) > _FEW for sharing in clients.values()):
        return False
    return not any(
        not client_start_ns <= start_ns <= client_end_ns and clock != clock_name(host, service)
        for (span_id, kind, service, start_ns, _), (parent_id, host, _) in summary.spans.items()
        if kind == _SERVER
        for above in {span_id, parent_id or span_id}
        for clock, client_start_ns, client_end_ns in clients.get(above, ())
    )


def _place(summary: Summary, opened: Iterable[OpenSpan], first_events: Mapping[tuple[bytes, Identity], int]) -> None:
    """Build the tree of a trace; of open spans only the service says which clock is theirs."""
    stored = (
        Span(
            span_id=span_id,
            parent_id=None if parent_id in _NO_PARENT else parent_id,
            clock=clock_name(host, service),
            start_ns=start_ns,
            duration_ns=duration_ns,
            service=service,
            kind=kind_name(kind),
            failed=failed,
            first_event_ns=first_events.get(
                (summary.trace_id, Identity(span_id, kind_name(kind), service, start_ns, duration_ns))
            ),
        )
        for (span_id, kind, service, start_ns, duration_ns), (parent_id, host, failed) in summary.spans.items()
    )
    announced = (
        Span(
            span_id=span.span_id,
            parent_id=span.parent_id,
            clock=clock_name(None, span.service),
            start_ns=span.start_ns,
            duration_ns=span.duration_ns,
            service=span.service,
            kind=span.kind,
            failed=span.status == _FAILED,
        )
        for span in opened
    )
    tree = build_tree([*stored, *announced])
    summary.start_ns, summary.end_ns = tree.start_ns, tree.start_ns + tree.duration_ns


def add_open(summaries: dict[bytes, Summary], spans: Iterable[OpenSpan]) -> list[OpenSpan]:
    """Count spans that have not ended in the summaries of their traces, but for those that are stored after all.

    Returns those that were counted.
    """
    counted = []
    ended: dict[bytes, set[tuple[bytes, str, str]]] = {}
    for span in spans:
        summary = summaries[span.trace_id]
        if span.trace_id not in ended:
            ended[span.trace_id] = {(span_id, kind_name(kind), service) for span_id, kind, service, *_ in summary.spans}
        if span.identity.half in ended[span.trace_id]:
            continue
        summary.add(span.start_ns, span.start_ns + span.duration_ns, span.service, is_error=span.status == _FAILED)
        summary.running_count += span.state == RUNNING
        summary.lost_count += span.state != RUNNING
        summary.stand_at_root((span.parent_id is not None, span.start_ns, span.span_id, span.service, span.name))
        counted.append(span)
    return counted
