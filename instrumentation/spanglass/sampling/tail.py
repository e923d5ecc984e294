"""Sampling at the end: failed and slow traces are kept whole, and a share of the rest.

A span processor between the SDK and the one that sends. It sees the spans of this process: a trace is decided when the
last of its local roots has ended and a short time has passed. The application's threads only put spans aside; a thread
of our own decides, marks and hands on.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor

from spanglass.clock import NS_PER_S, SYSTEM, Clock
from spanglass.guard import guarded
from spanglass.process import forking
from spanglass.sampling.held import Held, Policy, Release, head_probability, is_local_root
from spanglass.sdk.copying import copy_span
from spanglass_core.attribute_names import SAMPLING_PROBABILITY, SAMPLING_REASON

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import ReadableSpan, Span

LINGER_NS = NS_PER_S // 2
_JOIN_S = 1.0
_TICK_S = 0.1  # traces that end one after the other are decided together: to wake up costs more than to decide
_SAMPLED = 1  # the bit of the W3C trace flags
_ERROR_SEVERITY = 17  # SEVERITY_NUMBER_ERROR


class TailSamplingProcessor(SpanProcessor):
    """Holds spans back, and gives ``inner`` those of the traces that are kept.

    ``keep_ratio``: share of unremarkable traces; ``slow_ns``: a local root that takes so long makes its trace slow;
    ``max_spans``: most that are held, then the oldest trace is decided early. ``linger_ns``: how long a trace waits for
    late spans. Without ``threaded`` nothing is decided by itself: call ``decide_due``.
    """

    def __init__(
        self,
        inner: SpanProcessor,
        *,
        keep_ratio: float,
        slow_ns: int,
        max_spans: int,
        linger_ns: int = LINGER_NS,
        clock: Clock = SYSTEM,
        threaded: bool = True,
    ) -> None:
        self._inner = inner
        self._policy = Policy(keep_ratio, slow_ns, max_spans, linger_ns)
        self._now_ns, self._threaded = clock.monotonic_ns, threaded
        self._begin()
        self._forget = forking.in_child(self._begin, end_thread=self._end_thread)

    def _begin(self) -> None:
        """Start with nothing, also in a forked child: what the parent holds the parent sends."""
        self._held = Held(self._policy)
        # reentrant: a signal's handler or a finalizer may end a span while this thread puts one aside
        self._lock = threading.RLock()
        self._wake, self._stop = threading.Event(), threading.Event()
        self._asleep, self._ended = True, False  # what the events say, for the application's threads to look at
        self._thread: threading.Thread | None = None

    def _end_thread(self) -> None:
        """Decide what is held, and end the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        self._decide_all()

    @property
    def held(self) -> int:
        """How many spans and open traces are held now."""
        return self._held.size

    @property
    def dropped(self) -> int:
        """How many spans were not kept so far."""
        return self._held.dropped

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note a local root; every span goes to ``inner``."""
        self._inner.on_start(span, parent_context)
        context = span.context
        if context is None or not context.trace_flags & _SAMPLED or not is_local_root(span):
            return
        with self._lock:
            releases = self._held.begin_root(context.trace_id, context.span_id, span.start_time or 0)
        self._send(releases)

    def on_end(self, span: ReadableSpan) -> None:
        """Put a span aside, or send it if its trace is decided."""
        context = span.context
        if context is None or not context.trace_flags & _SAMPLED or self._ended:
            self._inner.on_end(span)
            return
        with self._lock:
            releases = self._held.end(span, context.trace_id, context.span_id, self._now_ns())
        if releases:
            self._send(releases)
        if self._asleep:
            self._asleep = False
            self._wake.set()
            if self._thread is None and self._threaded:
                self._start()

    def fail(self, trace_id: int) -> None:
        """Keep this trace: something of it failed that is no span, such as an error that was logged."""
        with self._lock:
            self._held.fail(trace_id)

    def decide_due(self) -> float | None:
        """Decide what has waited long enough; gives the seconds until more is due, None if nothing waits."""
        now_ns = self._now_ns()
        with self._lock:
            releases, next_ns = self._held.due(now_ns)
        self._send(releases)
        return None if next_ns is None else max(0, next_ns - now_ns) / NS_PER_S

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Decide everything that is held, by what is known, and flush ``inner``."""
        self._decide_all()
        return self._inner.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Decide everything, and stop. Spans that end later go to ``inner`` as they are."""
        self._ended = True
        self._stop.set()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_S)
        self._decide_all()
        self._forget()
        self._inner.shutdown()

    def _decide_all(self) -> None:
        with self._lock:
            releases = self._held.decide_all()
        self._send(releases)

    def _start(self) -> None:
        with self._lock, suppress(RuntimeError):  # the interpreter is ending: `shutdown` decides
            if self._thread is None and not self._stop.is_set():
                thread = threading.Thread(target=self._run, name="spanglass-tail-sampling", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        """Sleep until a span comes, then decide until nothing waits."""
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            self._asleep = True  # a span that comes from here on sets the event, though it may be decided without it
            with guarded("decide which traces are kept"):
                pause_s = self.decide_due()
                while pause_s is not None and not self._stop.wait(max(pause_s, _TICK_S)):
                    pause_s = self.decide_due()

    def _send(self, releases: list[Release]) -> None:
        for release in releases:
            with guarded("send the spans of a trace that is kept"):
                for span in release.spans:
                    self._inner.on_end(_marked(span, release))


class TailErrorLogProcessor(LogRecordProcessor):
    """Has traces kept in which an error was logged. The records themselves go their own way, all of them."""

    def __init__(self, tail: TailSamplingProcessor) -> None:
        self._tail = tail

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Look at one record, on the application's thread."""
        record = log_record.log_record
        severity = record.severity_number
        if severity is not None and severity.value >= _ERROR_SEVERITY and record.trace_id:
            self._tail.fail(record.trace_id)

    def shutdown(self) -> None:
        """Nothing is to be ended."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits."""
        del timeout_millis
        return True


def _marked(span: ReadableSpan, release: Release) -> ReadableSpan:
    """Copy a span that is kept, with the reason and, when below 1, the probability; the span itself is not changed."""
    attributes = {**(span.attributes or {}), SAMPLING_REASON: release.reason}
    probability = head_probability(span) * release.ratio
    if probability < 1:
        attributes[SAMPLING_PROBABILITY] = float(f"{probability:.12g}")
    return copy_span(span, attributes)
