"""What telling an exception and a log line costs an application, beside plain OpenTelemetry, in CPU time.

    python benchmarks/app_exceptions.py

Prints a Markdown table: microseconds of CPU a time, the least of several rounds, with a processor that drops
everything. Exporting is not in it; it happens in another thread.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from spanglass.exceptions.capture import new_capture
from spanglass.exceptions.install import install_exceptions
from spanglass.logs.install import install_logging
from spanglass.scrubbing.scrubber import Scrubber
from spanglass.settings.table import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

ROUNDS, TIMES = 7, 400
DEPTH = 6  # frames above the four of a request


class Order:
    """What an application has in its variables."""

    def __init__(self) -> None:
        self.id, self.lines, self.customer = 5, [1, 2, 3], "ann"


def charge(order: Order, amount: int, card: str) -> None:
    """Fail, with five variables."""
    currency, attempt = "EUR", 1
    if amount:
        raise ValueError(f"card {card[:4]} refused for order {order.id}, {amount} {currency}, {attempt}")


def checkout(order: Order) -> None:
    """Call what fails."""
    total, items = sum(order.lines), {str(line): line for line in order.lines}
    charge(order, total + len(items), "4111")


def handle(request: dict[str, str]) -> None:
    """Answer a request."""
    user = {"name": "ann", "id": 7, "password": "hunter2"}
    checkout(Order())
    del user, request


def nested(depth: int, request: dict[str, str]) -> None:
    """Stand for a framework's frames."""
    if depth:
        nested(depth - 1, request)
    else:
        handle(request)


#: A library that makes a span for each call, as instrumented ones do; its file is that of an installed package.
LIBRARY = """
def call(tracer):
    with tracer.start_as_current_span("call"):
        send()

def send():
    raise ConnectionError("refused")
"""


def library_call(tracer: Tracer) -> Callable[[], None]:
    """Make the library's function."""
    names: dict[str, Any] = {"__name__": "library"}
    exec(compile(LIBRARY, "/venv/lib/python3/site-packages/library.py", "exec"), names)  # noqa: S102 - the text above
    return partial(names["call"], tracer)


def order(depth: int, customer: dict[str, str], call: Callable[[], None]) -> None:
    """Call the library from some depth of the application, with five variables."""
    currency, amount = "EUR", 100 + depth
    if depth:
        order(depth - 1, customer, call)
    else:
        call()
    del currency, amount


class Sink(SpanProcessor):
    """Takes the last span."""

    last: ReadableSpan

    def on_end(self, span: ReadableSpan) -> None:
        """Keep it."""
        self.last = span


class LogSink(LogRecordProcessor):
    """Drops every record."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Drop it."""

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, timeout_millis: int = 0) -> bool:  # noqa: ARG002 - the interface
        """Do nothing."""
        return True


def least_us(work: Callable[[], None]) -> float:
    """Give the CPU time of one call, in microseconds: the least of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        for _ in range(TIMES):
            work()
        best = min(best, (time.process_time_ns() - start) / TIMES / 1000)
    return best


class Bench:
    """Providers that drop everything, and the work that is measured."""

    def __init__(self) -> None:
        self.sink = Sink()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.sink)
        self.tracer = provider.get_tracer("bench")
        self.library = library_call(self.tracer)
        self.logs = LoggerProvider(shutdown_on_exit=False)
        self.logs.add_log_record_processor(LogSink())
        self.logger = logging.getLogger("bench")
        self.logger.propagate = False
        self.logger.setLevel(logging.INFO)
        self.logger.addHandler(logging.NullHandler())

    def spans_only(self) -> None:
        """The two spans, without a failure."""
        with self.tracer.start_as_current_span("root"), self.tracer.start_as_current_span("inner"):
            pass

    def handled(self) -> None:
        """An exception that leaves the inner span and is caught in the root."""
        with self.tracer.start_as_current_span("root"):
            try:
                with self.tracer.start_as_current_span("inner"):
                    nested(DEPTH, {"path": "/"})
            except ValueError:
                pass

    def unhandled(self) -> None:
        """An exception that leaves both spans."""
        try:
            with self.tracer.start_as_current_span("root"), self.tracer.start_as_current_span("inner"):
                nested(DEPTH, {"path": "/"})
        except ValueError:
            pass

    def call(self) -> None:
        """An exception that leaves the span of a library's call, before it reaches the application."""
        with self.tracer.start_as_current_span("root"), suppress(ConnectionError):
            order(DEPTH, {"user": "ann", "city": "Rome"}, self.library)

    def line(self) -> None:
        """Ten log lines with values."""
        for number in range(10):
            self.logger.info("user %s paid %d", "ann", number, extra={"order_id": number})

    def rows(self, name: str) -> str:
        """Measure everything for one way of telling."""
        spans = least_us(self.spans_only)
        handled, unhandled = least_us(self.handled) - spans, least_us(self.unhandled) - spans
        size = sum(len(str(value)) for value in self._event().values())
        call, line = least_us(self.call) - spans, least_us(self.line) / 10
        return f"| {name} | {handled:.0f} | {unhandled:.0f} | {call:.0f} | {size} | {line:.1f} |"

    def _event(self) -> dict[str, object]:
        span = self.tracer.start_span("one")
        try:
            nested(DEPTH, {"path": "/"})
        except ValueError as error:
            span.record_exception(error)
        span.end()
        return dict(self.sink.last.events[0].attributes or {})


def main() -> None:
    """Measure each way in turn, in one process."""
    bench = Bench()
    print(
        "| | handled, us | leaves the root, us | leaves a library's call, us | one event, characters | a log line, us |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    theirs = LoggingHandler(logger_provider=bench.logs, log_code_attributes=True)
    bench.logger.addHandler(theirs)
    print(bench.rows("OpenTelemetry alone"))
    bench.logger.removeHandler(theirs)
    for name, settings, scrubber in (
        ("Spanglass, as it is by default", Settings(), Scrubber()),
        ("without scrubbing", Settings(scrub=False), None),
        ("without local variables", Settings(capture_locals=False), Scrubber()),
    ):
        capture = new_capture(settings, logger_provider=bench.logs, scrubber=scrubber)
        undo = [
            install_exceptions(settings, capture),
            install_logging(settings, logger_provider=bench.logs, capture=capture),
        ]
        print(bench.rows(name))
        for each in undo:
            each()


if __name__ == "__main__":
    main()
