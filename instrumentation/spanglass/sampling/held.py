"""What tail sampling holds back, and what becomes of it: plain bookkeeping, without threads, locks or clocks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry.trace import StatusCode

from spanglass.sampling.probability import randomness, threshold_of
from spanglass.sdk.private.spans import events_and_links
from spanglass_core.attribute_names import SAMPLING_PROBABILITY

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

ERROR, LATE_ERROR, SLOW, SHARE = "error", "late-error", "slow", "share"
_DECISIONS = 8192  # traces whose decision is remembered, for spans that come after it


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept, and how much may be held."""

    keep_ratio: float  # share of the traces that are neither failed nor slow
    slow_ns: int  # a local root that takes at least so long is slow
    max_spans: int  # held spans and open traces together
    linger_ns: int  # how long after its last local root a trace waits for spans that are late


@dataclass(frozen=True, slots=True)
class Release:
    """Spans to send, and why: they stand for 1/``ratio`` times as many, besides what the head sampler says."""

    spans: list[ReadableSpan]
    reason: str
    ratio: float = 1.0


@dataclass(slots=True)
class _Trace:
    spans: list[ReadableSpan] = field(default_factory=list)
    roots: dict[int, int] = field(default_factory=dict)  # open local roots: span id to start, ns since 1970
    first_ns: int = 0  # the earliest of these starts
    reason: str = ""  # to keep it, where it is known before the end
    waits: bool = False  # whether it has its place among those that linger


def is_local_root(span: ReadableSpan) -> bool:
    """Whether a span is the first of its trace in this process."""
    parent = span.parent
    return parent is None or parent.is_remote


def is_error(span: ReadableSpan) -> bool:
    """Whether a span failed: by its status, or by an exception that was recorded on it."""
    if span.status.status_code is StatusCode.ERROR:
        return True
    return bool(events_and_links(span)[0]) and any(event.name == "exception" for event in span.events)


class Held:
    """Spans of traces that are not decided. Times are of one monotonic clock, in nanoseconds, and passed in."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._traces: dict[int, _Trace] = {}  # the oldest first
        self._lingering: deque[tuple[int, int]] = deque()  # when it is due, trace id
        self._decided: dict[int, Release | None] = {}  # None: dropped; a release without spans: kept
        self.size = 0  # spans and traces
        self.dropped = 0  # spans that were not sent

    def begin_root(self, trace_id: int, span_id: int, start_ns: int) -> list[Release]:
        """A local root begins. A trace that was dropped gets another chance: this may be what is worth keeping."""
        trace = self._traces.get(trace_id)
        if trace is None:
            if self._decided.get(trace_id) is not None:
                return []
            self._decided.pop(trace_id, None)
            trace = self._add(trace_id)
        trace.first_ns = min(trace.first_ns, start_ns) if trace.roots else start_ns
        trace.roots[span_id] = start_ns
        return self._make_room()

    def end(self, span: ReadableSpan, trace_id: int, span_id: int, now_ns: int) -> list[Release]:
        """A span has ended; gives what is to be sent at once, which is nothing unless its trace is decided."""
        trace = self._traces.get(trace_id)
        if trace is None:
            if trace_id in self._decided:
                return self._late(span, self._decided[trace_id])
            trace = self._add(trace_id)
        trace.spans.append(span)
        self.size += 1
        roots = trace.roots
        if roots:
            # an open root has taken as long as from its start to this end
            if not trace.reason and (span.end_time or 0) - trace.first_ns >= self._policy.slow_ns:
                trace.reason = SLOW
            if roots.pop(span_id, None) is not None and roots:
                trace.first_ns = min(roots.values())
        if not trace.waits and (trace.reason or not roots):
            trace.waits = True
            self._lingering.append((now_ns + self._policy.linger_ns, trace_id))
        return self._make_room() if self.size > self._policy.max_spans else []

    def fail(self, trace_id: int) -> None:
        """Something else in this trace failed; a log record says so."""
        trace = self._traces.get(trace_id)
        if trace is not None:
            trace.reason = ERROR

    def due(self, now_ns: int) -> tuple[list[Release], int | None]:
        """Decide what has waited long enough; gives that and when the next is due, None for never."""
        releases = []
        while self._lingering and self._lingering[0][0] <= now_ns:
            _, trace_id = self._lingering.popleft()
            trace = self._traces.get(trace_id)
            if trace is None:
                continue
            trace.waits = False
            if trace.reason or not trace.roots:  # else another root has begun, whose end will bring it back
                releases += self._decide(trace_id)
        return releases, self._lingering[0][0] if self._lingering else None

    def decide_all(self) -> list[Release]:
        """Decide every trace that has spans, by what is known."""
        with_spans = [trace_id for trace_id, trace in self._traces.items() if trace.spans]
        return [release for trace_id in with_spans for release in self._decide(trace_id)]

    def _add(self, trace_id: int) -> _Trace:
        trace = self._traces[trace_id] = _Trace()
        self.size += 1
        return trace

    def _late(self, span: ReadableSpan, decision: Release | None) -> list[Release]:
        if decision is not None:
            return [Release([span], decision.reason, decision.ratio)]
        if is_error(span):
            return [Release([span], LATE_ERROR)]
        self.dropped += 1
        return []

    def _make_room(self) -> list[Release]:
        releases: list[Release] = []
        while self.size > self._policy.max_spans and self._traces:
            releases += self._decide(next(iter(self._traces)))
        return releases

    def _decide(self, trace_id: int) -> list[Release]:
        trace = self._traces.pop(trace_id)
        self.size -= 1 + len(trace.spans)
        decision = self._decision(trace_id, trace)
        while len(self._decided) >= _DECISIONS:
            del self._decided[next(iter(self._decided))]
        self._decided[trace_id] = decision
        if decision is None:
            self.dropped += len(trace.spans)
            return []
        return [Release(trace.spans, decision.reason, decision.ratio)] if trace.spans else []

    def _decision(self, trace_id: int, trace: _Trace) -> Release | None:
        if trace.reason == ERROR or any(map(is_error, trace.spans)):
            return Release([], ERROR)
        if trace.reason:
            return Release([], trace.reason)
        if not trace.spans:
            return None
        # with the head's share: of the traces that it kept those with the greatest randomness, as elsewhere
        ratio, context = self._policy.keep_ratio, trace.spans[0].context
        threshold = threshold_of(head_probability(trace.spans[0]) * ratio)
        random = randomness(trace_id, context.trace_state if context else None)
        return Release([], SHARE, ratio) if ratio > 0 and random >= threshold else None


def head_probability(span: ReadableSpan) -> float:
    """Return the probability with which the head sampler kept a span."""
    found = span.attributes.get(SAMPLING_PROBABILITY) if span.attributes else None
    return found if isinstance(found, float) else 1.0
