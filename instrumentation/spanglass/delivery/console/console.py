"""Traces on the terminal while a program is written: each is printed as a tree when its local root has ended.

The application only hands spans and log records over; they are gathered and drawn in a thread.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, TextIO

from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord
from opentelemetry.sdk.trace import SpanProcessor

from spanglass.clock import NS_PER_S
from spanglass.delivery.batching import Batcher
from spanglass.delivery.console import may_print
from spanglass.delivery.console.reachable import look
from spanglass.delivery.console.tree import Gathered, render, span_id
from spanglass.delivery.processors import readable
from spanglass.guard import guarded
from spanglass.process import forking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from spanglass.delivery.closing import Closing
    from spanglass.settings.table import Settings

_CAPACITY = 4096  # spans and log records that wait for the thread
_DELAY_S = 0.1
_MAX_TRACES = 256  # whose root has not ended; the one that began first is then printed as it is
_MAX_ITEMS = 1000  # of one trace; more are left out and counted
_MAX_PRINTED = 4096  # spans that are known to be printed


class ConsoleTree:
    """Gathers what ended by trace and prints traces. Used by one thread at a time."""

    def __init__(self, stream: TextIO, *, colours: bool, width: Callable[[], int]) -> None:
        self._stream = stream
        self._colours = colours
        self._width = width
        self.forget()

    def take(self, items: Sequence[ReadableSpan | ReadableLogRecord]) -> None:
        """Take spans that ended and log records, in the order in which they came, and print traces that are whole."""
        for item in items:
            if isinstance(item, ReadableLogRecord):
                self._add(item.log_record.trace_id or 0, item)
            else:
                self._add_span(item)
        self._stream.flush()

    def finish(self) -> None:
        """Print what is left of traces whose root has not ended."""
        for trace_id in list(self._traces):
            self._print(self._traces.pop(trace_id))
        self._stream.flush()

    def forget(self) -> None:
        """Begin anew; in a forked child, for the parent prints what it has gathered."""
        self._traces: dict[int, Gathered] = {}
        self._printed: dict[int, None] = {}  # the last spans that were printed, as an ordered set

    def _add_span(self, span: ReadableSpan) -> None:
        trace_id = span.context.trace_id if span.context is not None else 0
        parent = span.parent
        if parent is None:
            self._add(trace_id, span, always=True)
            self._print(self._traces.pop(trace_id))
        elif parent.is_remote or parent.span_id in self._printed:  # the second: it outlived its parent
            self._add(trace_id, span, always=True)
            self._print(self._traces[trace_id].take_below(span))
            if not self._traces[trace_id]:
                del self._traces[trace_id]
        else:
            self._add(trace_id, span)

    def _add(self, trace_id: int, item: ReadableSpan | ReadableLogRecord, *, always: bool = False) -> None:
        trace = self._traces.get(trace_id)
        if trace is None:
            if len(self._traces) >= _MAX_TRACES:
                self._print(self._traces.pop(next(iter(self._traces))))
            trace = self._traces[trace_id] = Gathered()
        if len(trace) >= _MAX_ITEMS and not always:
            trace.left_out += 1
        else:
            trace.add(item)

    def _print(self, trace: Gathered) -> None:
        if not trace.spans:
            return  # log records of a trace whose spans were not recorded
        for span in trace.spans:
            self._printed[span_id(span)] = None
        while len(self._printed) > _MAX_PRINTED:
            del self._printed[next(iter(self._printed))]
        text = render(trace, width=self._width(), colours=self._colours)
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))


class Console:
    """The tree of one configuration: a span processor and a log record processor that hand over to one thread."""

    def __init__(self, tree: ConsoleTree, closing: Closing, *, timeout_ns: int, on: bool) -> None:
        self._tree = tree
        self._closing = closing
        self._timeout_ns = timeout_ns
        self._queue: Batcher[ReadableSpan | ReadableLogRecord] | None = None
        self._forget = forking.in_child(tree.forget)
        self.spans = ConsoleSpans(self)
        self.logs = ConsoleLogs(self)
        if on:
            self.turn_on()

    def turn_on(self) -> None:
        """Print from now on."""
        if self._queue is None:
            self._queue = Batcher(
                self._tree.take,
                self._closing,
                what="the console tree",
                capacity=_CAPACITY,
                dropped=_uncounted,
                timeout_ns=self._timeout_ns,
                delay_s=_DELAY_S,
            )

    def put(self, item: ReadableSpan | ReadableLogRecord) -> None:
        """Hand an item over."""
        if self._queue is not None:
            self._queue.put(item)

    @property
    def on(self) -> bool:
        """Whether anything is printed."""
        return self._queue is not None

    def stop(self) -> None:
        """Print what is left."""
        queue, self._queue = self._queue, None
        self._forget()
        if queue is not None:
            queue.stop()
            with guarded("print the last traces"):
                self._tree.finish()

    def flush(self) -> bool:
        """Print what has ended by now."""
        return self._queue is None or self._queue.flush(self._timeout_ns / NS_PER_S)


class ConsoleSpans(SpanProcessor):
    """Hands ended spans to the console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing: spans are printed when they have ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Hand the span over."""
        self._console.put(span)

    def shutdown(self) -> None:
        """Print what is left."""
        self._console.stop()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the console's own limit is shorter
        """Print what has ended by now."""
        return self._console.flush()


class ConsoleLogs(LogRecordProcessor):
    """Hands log records of traces to the console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Hand the record over."""
        if self._console.on and log_record.log_record.trace_id:
            self._console.put(readable(log_record))

    def shutdown(self) -> None:
        """Nothing: the spans' shutdown prints what is left."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - as above
        """Print what has ended by now."""
        return self._console.flush()


def make_console(
    settings: Settings, stream: TextIO | None, closing: Closing, *, environ: Mapping[str, str] | None = None
) -> Console | None:
    """Make the console by the setting; None if nothing will ever be printed.

    ``stream`` is None where a process has none. With ``auto`` it is made for a terminal only, and turned on if, within
    half a second, no server is found.
    """
    if stream is None or not may_print(settings, stream):
        return None
    terminal = stream.isatty()
    colours = terminal and not (os.environ if environ is None else environ).get("NO_COLOR")
    tree = ConsoleTree(stream, colours=colours, width=lambda: shutil.get_terminal_size().columns if terminal else 120)
    console = Console(tree, closing, timeout_ns=settings.flush_timeout_ns, on=settings.console == "on")
    if settings.console == "auto":
        look(settings.endpoint, lambda reachable: None if reachable else console.turn_on())
    return console


def _uncounted(_records: int, _why: str) -> None:
    """What the console leaves out is delivered all the same, so it is counted nowhere."""
