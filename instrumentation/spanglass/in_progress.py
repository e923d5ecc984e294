"""Spans in progress: one that is open for long is announced while it runs, so that it is seen before it ends.

An announcement is an OTLP log record of the span's own scope, with the span as its context; what it says is listed in
docs/app/in-progress-spans.md. It is repeated while the span is open; when it stays away, the process has died. The end
of a span that was announced is told as well, because the span itself may never be sent: a tail sampler may drop it.

The application's threads only put a span into a dictionary and take it out again. Each of these is one step for the
interpreter, so there is no lock; everything else is done by a thread of our own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import NonRecordingSpan, StatusCode, format_span_id, set_span_in_context

from spanglass.guard import guarded
from spanglass.process import forking
from spanglass_core import attribute_names as names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.util.types import AnyValue

_SECOND_NS = 10**9
AFTER_NS = 2 * _SECOND_NS
REPEAT_NS = 10 * _SECOND_NS
TICK_S = 0.5
#: Open spans that are watched; beyond, they are only counted. One that never ends stays among them.
MAX_OPEN = 10_000
#: Spans that are announced at one time: 50 records a second, repeated every 10 s.
MAX_ANNOUNCED = 500
#: What is sent of a span's attributes; all of them come with the span itself.
MAX_ATTRIBUTES = 32
MAX_TEXT = 512
MAX_ITEMS = 16
_SAMPLED = 1  # the bit of the W3C trace flags
_JOIN_S = 1.0


class InProgressProcessor(SpanProcessor):
    """Announces sampled spans that are open longer than ``after_ns``, and again every ``repeat_ns``.

    ``logger_provider`` sends the announcements; it has to be shut down after the tracer provider. ``clock_ns`` is the
    time since 1970 in nanoseconds, the clock of the spans. With ``tick_s`` 0 there is no thread: call ``announce``.
    ``unwatched`` counts spans that came when too many were open.
    """

    def __init__(
        self,
        logger_provider: LoggerProvider,
        *,
        after_ns: int = AFTER_NS,
        repeat_ns: int = REPEAT_NS,
        clock_ns: Callable[[], int] = time.time_ns,
        tick_s: float = TICK_S,
        max_open: int = MAX_OPEN,
    ) -> None:
        self._provider = logger_provider
        self._after_ns = after_ns
        self._repeat_ns = repeat_ns
        self._clock_ns = clock_ns
        self._tick_s = tick_s
        self._max_open = max_open
        self.unwatched = 0
        self._begin()
        self._forget = forking.in_child(self.after_fork, end_thread=self._end_thread)

    def _begin(self) -> None:
        """Start with nothing: no span, and no thread until there is one."""
        self._open: dict[int, Span] = {}
        self._due_ns: dict[int, int] = {}  # of spans that were announced
        self._ended: deque[ReadableSpan] = deque(maxlen=MAX_ANNOUNCED)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()  # a signal's handler may begin a span

    def _end_thread(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def after_fork(self) -> None:
        """Forget the spans of the parent process, which announces them itself; called in every child by itself."""
        self._begin()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Watch a span, on the application's thread."""
        del parent_context
        context = span.context
        if context is None or not context.trace_flags & _SAMPLED:
            return
        if len(self._open) >= self._max_open:
            self.unwatched += 1
            return
        self._open[context.span_id] = span
        if self._thread is None:
            self._start()

    def on_end(self, span: ReadableSpan) -> None:
        """Watch it no longer, on the application's thread."""
        context = span.context
        if context is None:
            return
        span_id = context.span_id
        if self._open.pop(span_id, None) is not None and span_id in self._due_ns:
            self._ended.append(span)

    def shutdown(self) -> None:
        """Tell of what has ended, and stop. Spans that are still open are not spoken of again: they are lost."""
        self._stopping.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_S)
        self._forget()
        self.force_flush()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Tell of what has ended."""
        del timeout_millis
        with guarded("tell that a span in progress has ended"):
            self._announce_ends(self._clock_ns())
        return True

    def announce(self) -> None:
        """Announce what is due now; the thread does so every ``tick_s``."""
        now_ns = self._clock_ns()
        self._announce_ends(now_ns)
        for span_id, span in self._open.copy().items():  # one step for the interpreter, unlike a list of the items
            age_ns = now_ns - (span.start_time or 0)
            if 0 <= age_ns < self._after_ns:
                break  # spans stand in the order in which they began: all others are younger
            if age_ns >= 0 and self._due_ns.get(span_id, 0) <= now_ns:
                self._announce_one(span_id, span, now_ns)

    def _announce_one(self, span_id: int, span: Span, now_ns: int) -> None:
        if span_id not in self._due_ns and len(self._due_ns) >= MAX_ANNOUNCED:
            return
        # in this order: an end that comes in between sees that the span was announced, or is seen here
        self._due_ns[span_id] = now_ns + self._repeat_ns
        if span_id in self._open:
            self._emit(span, now_ns, {names.SPAN_REPEAT_NANO: self._repeat_ns, **_so_far(span)})
        else:
            self._due_ns.pop(span_id, None)

    def _announce_ends(self, now_ns: int) -> None:
        while self._ended:
            span = self._ended.popleft()
            if span.context is not None:
                self._due_ns.pop(span.context.span_id, None)
            self._emit(span, now_ns, {names.SPAN_ENDED: True})

    def _emit(self, span: ReadableSpan, now_ns: int, attributes: Mapping[str, Any]) -> None:
        scope = span.instrumentation_scope
        if scope is None or span.context is None:
            return
        logger = self._provider.get_logger(scope.name, scope.version, scope.schema_url)
        logger.emit(
            LogRecord(
                timestamp=now_ns,
                observed_timestamp=now_ns,
                context=set_span_in_context(NonRecordingSpan(span.context), Context()),
                severity_number=SeverityNumber.TRACE,
                severity_text="TRACE",
                body=f"{span.name} {'has ended' if names.SPAN_ENDED in attributes else 'is running'}",
                attributes={**attributes, **_identity(span)},
                event_name=names.SPAN_RUNNING_EVENT,
            )
        )

    def _start(self) -> None:
        if self._tick_s <= 0:
            return
        with self._starting, suppress(RuntimeError):  # no more threads: the next span tries again
            if self._thread is None and not self._stopping.is_set():
                thread = threading.Thread(target=self._run, name="spanglass-in-progress", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        stopping = self._stopping  # of this process: a child begins with its own
        while not stopping.wait(self._tick_s):
            with guarded("announce spans in progress"):
                self.announce()


def _identity(span: ReadableSpan) -> dict[str, AnyValue]:
    """Return what every announcement says of its span, apart from its ids, which are the record's own."""
    return {
        names.SPAN_NAME: span.name[:MAX_TEXT],
        names.SPAN_KIND: span.kind.name.lower(),
        names.SPAN_START_UNIX_NANO: span.start_time or 0,
        **({names.SPAN_PARENT_ID: format_span_id(span.parent.span_id)} if span.parent is not None else {}),
    }


def _so_far(span: ReadableSpan) -> dict[str, AnyValue]:
    """Return a span's attributes and status as they are now, within bounds."""
    # copied in one step: the application goes on setting attributes
    attributes = (span.attributes or {}).copy()  # type: ignore[attr-defined] # a mapping proxy, which has it
    shown: dict[str, AnyValue] = {key: _bounded(value) for key, value in islice(attributes.items(), MAX_ATTRIBUTES)}
    if span.status.status_code is not StatusCode.UNSET:
        shown[names.SPAN_STATUS] = span.status.status_code.name.lower()
        if span.status.description:
            shown[names.SPAN_STATUS_MESSAGE] = span.status.description[:MAX_TEXT]
    return shown


def _bounded(value: AnyValue) -> AnyValue:
    """Cut a value that is long; what is in a list of lists is left as it is, the span's own limits hold for it."""
    if isinstance(value, str | bytes):
        return value[:MAX_TEXT]
    if isinstance(value, list | tuple):
        return [item[:MAX_TEXT] if isinstance(item, str | bytes) else item for item in value[:MAX_ITEMS]]
    return value
