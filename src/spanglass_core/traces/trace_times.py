"""When the spans of a trace ran: whose clock was off, whose start is unknown, how long each span ran itself.

A recorded time is changed only where it is proven wrong, by one of two rules:

- A start before the year 2000, or more than a year before the end of its trace, is of a clock that was never set
  (0, an uptime, a board without a battery): it is *unknown*, and the span is placed where its parent begins.
- A client span waited for the server span below it. When another clock measured that one and it begins before its
  client, or after the client had its answer, the clocks differ: it is moved into its client.

All else stays where it was recorded: work that begins after its parent ended is late work, not skew.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_core.traces.trace_nodes import Node, Span

#: No clock that was ever set shows an earlier time: 2000-01-01, in Unix nanoseconds.
EARLIEST_NS = 946_684_800_000_000_000
#: Nothing that belongs to one trace begins this long before its latest span: 366 days.
LONGEST_NS = 366 * 86_400 * 1_000_000_000
#: How coarse the clocks of senders are: milliseconds (JavaScript) and microseconds (Zipkin, Jaeger), else nanoseconds.
_STEPS_NS = (1_000_000, 1_000)
_SECOND_NS = 1_000_000_000


def horizon_ns(latest_ns: int) -> int:
    """Return the time before which a start is unknown in a trace whose last span ended at ``latest_ns``.

    When no clock of the trace was ever set, its times are only compared with each other, and all of them count.
    """
    return max(EARLIEST_NS, latest_ns - LONGEST_NS) if latest_ns >= EARLIEST_NS else 0


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of one trace. ``resolution_ns`` is the step in which each of them counts, by its name.

    ``first_ns`` is the earliest time that is known, None when none is.
    """

    horizon_ns: int
    first_ns: int | None
    resolution_ns: Mapping[str, int]

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Clocks:
        """Read the clocks from the times that they measured."""
        by_clock: dict[str, list[Span]] = {}
        for span in spans:
            by_clock.setdefault(span.clock, []).append(span)
        starts = [span.start_ns for measured in by_clock.values() for span in measured]
        ends = [span.start_ns + span.duration_ns for measured in by_clock.values() for span in measured]
        horizon = horizon_ns(max(ends))
        first_ns = min((at for at in starts if at >= horizon), default=None)
        if first_ns is None:
            first_ns = min((at for at in ends if at >= horizon), default=None)
        return cls(horizon, first_ns, {clock: _resolution_ns(measured) for clock, measured in by_clock.items()})

    def place_top(self, top: Node) -> None:
        """Place a span that has no parent: where it began, or, when that is unknown, at what is known to be near."""
        span = top.span
        top.start_ns, top.duration_ns = span.start_ns, span.duration_ns
        if span.start_ns >= self.horizon_ns:
            return
        top.start_unknown = True
        ends = (span.first_event_ns, span.start_ns + span.duration_ns)
        children = (child.span.start_ns for child in top.children)
        known = [at for at in (*ends, *children) if at is not None and at >= self.horizon_ns]
        start_ns = min(known, default=self.first_ns)
        if start_ns is not None:
            self._place_unknown(top, start_ns)

    def place_children(self, parent: Node) -> None:
        """Place the children of a span that has its place, and put them in order: by start, then by end, as they came.

        Sets their depth, too. Clocks of milliseconds make many spans begin at one time; what ended first comes first.
        """
        for child in parent.children:
            child.depth = parent.depth + 1
            child.awaited = _is_awaited(parent.span, child.span)
            if child.span.start_ns >= self.horizon_ns:
                child.skew_ns = self._skew_ns(parent, child)
                child.start_ns = child.span.start_ns + child.skew_ns
                child.duration_ns = child.span.duration_ns
        unknown = [child for child in parent.children if child.span.start_ns < self.horizon_ns]
        if unknown:
            self._place_unknown_children(parent, unknown)
        parent.children.sort(key=lambda child: (child.start_ns, child.start_ns + child.duration_ns, child.index))

    def _place_unknown_children(self, parent: Node, children: Sequence[Node]) -> None:
        """Place children at their parent's start; those of one clock that was never set keep their distances."""
        shifts: dict[str, int] = {}
        if 0 < parent.span.start_ns < self.horizon_ns:
            shifts[parent.span.clock] = parent.start_ns - parent.span.start_ns
        for child in sorted(children, key=lambda child: child.span.start_ns):
            recorded_ns, start_ns = child.span.start_ns, parent.start_ns
            if recorded_ns:
                shift = shifts.setdefault(child.span.clock, parent.start_ns - recorded_ns)
                after_ns = recorded_ns + shift - parent.start_ns
                start_ns += after_ns if 0 <= after_ns < LONGEST_NS else 0  # else the clock was set in between
            child.start_unknown = True
            self._place_unknown(child, start_ns)

    def _place_unknown(self, node: Node, start_ns: int) -> None:
        """Place a span whose start is unknown; it lasts as long as its clock measured, or until its known end."""
        end_ns = node.span.start_ns + node.span.duration_ns
        node.start_ns = start_ns
        node.duration_ns = max(0, end_ns - start_ns) if end_ns >= self.horizon_ns else node.span.duration_ns

    def _skew_ns(self, parent: Node, child: Node) -> int:
        """Return what to add to a child's start so that it does not contradict its parent.

        The child is put in the middle of its parent, as if the way there took as long as the way back; one that does
        not fit begins with it. What hangs from a moved span on the same clock moves along.
        """
        if child.span.clock == parent.span.clock:
            return 0 if parent.start_unknown else parent.skew_ns
        if parent.span.kind != "client" or child.span.kind != "server":
            return 0
        rounding_ns = max(self.resolution_ns[parent.span.clock], self.resolution_ns[child.span.clock])
        spare_ns = parent.duration_ns - child.span.duration_ns
        is_early = parent.start_ns - child.span.start_ns >= rounding_ns
        # a client that gave up proves nothing of when it was served, nor one that waited for less than serving took
        was_answered = not parent.span.failed and spare_ns > -rounding_ns
        is_late = was_answered and child.span.start_ns - parent.end_ns >= rounding_ns
        if not is_early and not is_late:
            return 0
        return parent.start_ns + max(0, spare_ns) // 2 - child.span.start_ns


def _resolution_ns(spans: Sequence[Span]) -> int:
    """Return the step of the clock that measured these spans."""
    starts, lengths = gcd(*(span.start_ns for span in spans)), gcd(*(span.duration_ns for span in spans))
    return resolution_ns(starts, lengths, len(spans))


def resolution_ns(step: int, length: int, spans: int) -> int:
    """Return the step of a clock, given what divides all starts of its ``spans``, and what all their durations.

    Ends are finer in JavaScript, where they are a start with a duration. Seconds are believed only of several spans,
    ends included: a single one may begin at a full second.
    """
    if not step:
        return 1
    if step % _SECOND_NS == 0 and spans > 1 and length % _SECOND_NS == 0:
        return _SECOND_NS
    return next((coarse for coarse in _STEPS_NS if step % coarse == 0), 1)


def _is_awaited(parent: Span, child: Span) -> bool:
    """Whether a parent waits for a child, as calls do: nobody waits for what becomes of a message that was sent.

    A consumer below one of its own service is a step of the same work: a batch that was received, and its messages.
    """
    if child.kind == "consumer":
        return parent.kind == "consumer" and child.service == parent.service
    return parent.kind != "producer" or child.service == parent.service


def self_time_ns(node: Node) -> int:
    """Return the part of a span's time in which none of the children ran that it waits for; they are in order."""
    self_ns = 0
    at_ns, end_ns = node.start_ns, node.end_ns
    for child in node.children:
        if not child.awaited:
            continue
        if child.start_ns >= end_ns:
            break
        self_ns += max(0, child.start_ns - at_ns)
        at_ns = max(at_ns, child.end_ns)
    return self_ns + max(0, end_ns - at_ns)
