"""The sampling profiler: a thread of ours looks at all others at a bounded rate, and tells what they were in.

It is off unless the settings say so. Each look takes some ten microseconds a thread, during which the interpreter does
nothing else; the pause after it is as long as its share of a core allows.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

from spanglass.guard import guarded
from spanglass.process import forking
from spanglass.process.greenlets import are_green
from spanglass.profiling.gathering import Gathered, Seen
from spanglass.profiling.open_spans import OpenSpans
from spanglass.profiling.processor_time import ProcessorTimes
from spanglass.profiling.stacks import Functions, waits
from spanglass.profiling.tagging import Tagging

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace import Span as SdkSpan
    from opentelemetry.trace import Span

SCOPE = "spanglass.profiler"
TELL_EVERY_NS = 10 * 10**9
#: At most this share of a core is spent looking: the pause after a look is so many times as long.
_PAUSE_FOR_COST = 150
#: A sample stands for no more than that, or two pauses: the process may have been stopped meanwhile.
_LONGEST_NS = 10**9
#: A thread that works for no span is told of when it has computed for so long since the last look.
_BUSY_NS = 1_000_000
#: Names of our own threads begin so.
_OURS = "spanglass"
_JOIN_S = 1.0


class Profiler(SpanProcessor):
    """Looks at all threads ``rate`` times a second at most, from ``begin`` on, and tells every ten seconds.

    A span processor, so that it is shut down before the log records that it makes are. ``clock_ns`` is the time since
    1970 in nanoseconds, ``passing_ns`` a clock that only goes on. In a forked child it goes on with the first span.
    """

    def __init__(
        self,
        logger_provider: LoggerProvider,
        *,
        rate: int,
        clock_ns: Callable[[], int] = time.time_ns,
        passing_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._provider = logger_provider
        self._pause_ns = 10**9 // rate
        self._clock_ns, self._passing_ns = clock_ns, passing_ns
        self._functions = Functions()
        self._tagging = Tagging(self._go_on)
        self._renew()
        self._forget = forking.in_child(self.after_fork, end_thread=self._end_thread)

    def _renew(self) -> None:
        self._times = ProcessorTimes()
        self._gathered = Gathered(cpu_is_known=self._times.known)
        self._spans = OpenSpans()
        self._looked_ns: int | None = None
        self._told_ns = self._passing_ns()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()  # a signal's handler may begin a span
        self._gathering = threading.RLock()

    def begin(self) -> Callable[[], None]:
        """Begin to look; returns what takes back what was put into the process."""
        end = self._tagging.begin()
        self._start()
        return end

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """Note with which span the work began that this one is part of, on the application's thread."""
        del parent_context
        self._spans.began(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Forget a span, on the application's thread."""
        self._spans.ended(span)

    def shutdown(self) -> None:
        """Look no more, and tell of what was seen."""
        self._end_thread()
        self._forget()
        self.force_flush()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Tell of what was seen."""
        del timeout_millis
        with guarded("tell what the profiler has seen"):
            self.tell()
        return True

    def after_fork(self) -> None:
        """Forget what was seen in the parent, which tells of it itself; called in every child by itself."""
        self._tagging.renew()
        self._renew()

    def look(self) -> None:
        """Look at all threads once."""
        with self._gathering:
            self._look(self._passing_ns())

    def _look(self, now_ns: int) -> None:
        wall_ns = min(now_ns - (self._looked_ns or now_ns), max(_LONGEST_NS, 2 * self._pause_ns))
        self._looked_ns = now_ns
        threads = threading.enumerate()
        names = {thread.ident: thread.name for thread in threads if thread.ident is not None}
        cpu_ns = self._times.since_last(threads)
        known = self._tagging.known()  # before the look: a thread that begins during it has not ended
        frames = sys._current_frames()  # noqa: SLF001 - documented, the only way
        del frames[threading.get_ident()]  # it would hold itself
        self._tagging.forget(known - frames.keys())
        for ident, frame in frames.items():
            name = names.get(ident, "")
            if wall_ns <= 0 or name.startswith(_OURS):
                continue
            span, used_ns = self._spans.still_open(self._tagging.span(ident)), cpu_ns.get(ident, 0)
            is_busy = used_ns >= _BUSY_NS if self._times.known else not waits(frame)
            if span is not None or is_busy:
                self._add(span, name, self._functions.stack(frame), wall_ns, min(used_ns, wall_ns))

    def _add(self, span: Span | None, thread: str, stack: tuple[str, ...], wall_ns: int, cpu_ns: int) -> None:
        if span is None:
            self._gathered.add(Seen(0, 0, "", "", thread, stack), None, wall_ns, cpu_ns)
            return
        context = span.get_span_context()
        name, operation = str(getattr(span, "name", "")), self._spans.operation(span)
        seen = Seen(context.trace_id, context.span_id, name, operation, thread, stack)
        self._gathered.add(seen, context, wall_ns, cpu_ns)

    def tell(self) -> None:
        """Send what was seen as log records."""
        with self._gathering:
            self._told_ns = self._passing_ns()
            records = list(self._gathered.take(self._clock_ns()))
        logger = self._provider.get_logger(SCOPE)
        for record in records:
            logger.emit(record)

    def _go_on(self) -> None:
        """Start the thread where there is none, as in a forked child."""
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._starting, suppress(RuntimeError):  # no more threads: the next span tries again
            if self._thread is None and not self._stopping.is_set() and not are_green():
                thread = threading.Thread(target=self._run, name="spanglass-profiler", daemon=True)
                thread.start()
                self._thread = thread

    def _end_thread(self) -> None:
        self._stopping.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_S)

    def _run(self) -> None:
        stopping = self._stopping  # of this process: a child begins with its own
        pause_ns = self._pause_ns
        while not stopping.wait(pause_ns / 10**9):
            began_ns = time.thread_time_ns()
            with guarded("look at the application's threads"):
                self.look()
                if self._passing_ns() - self._told_ns >= TELL_EVERY_NS:
                    self.tell()
            pause_ns = max(self._pause_ns, (time.thread_time_ns() - began_ns) * _PAUSE_FOR_COST)
