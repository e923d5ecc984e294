"""An application that fails in many ways, by the names of its functions; each is in the message of its exceptions.

It uses the API of OpenTelemetry and ``logging``, and knows nothing of what sends them.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar

from opentelemetry import trace

tracer = trace.get_tracer("shop")
logger = logging.getLogger("shop")
running = ContextVar("running", default="")


class StockError(KeyError):
    """There is none."""


def take() -> None:
    """Fail: there is nothing."""
    raise StockError(running.get(), 17)


def span_event() -> None:
    """Let an exception leave one span."""
    with tracer.start_as_current_span("GET"):
        take()


def nested_spans() -> None:
    """Let it leave several."""
    with tracer.start_as_current_span("GET"), tracer.start_as_current_span("find"):
        inner_span()


def inner_span() -> None:
    """Let it leave one more, in a function of its own."""
    with tracer.start_as_current_span("take"):
        take()


def log_record() -> None:
    """Log it, outside of spans."""
    try:
        take()
    except StockError:
        logger.exception("it failed")


def log_in_span() -> None:
    """Log it in a span that it does not leave."""
    with tracer.start_as_current_span("GET"):
        log_record()


def both() -> None:
    """Let it leave a span, and log it in the span around."""
    with tracer.start_as_current_span("GET"):
        try:
            inner_span()
        except StockError:
            logger.exception("it failed")


def both_in_one_span() -> None:
    """Log it in the span that it leaves, and once more further out."""
    with tracer.start_as_current_span("GET"):
        try:
            log_and_raise()
        except StockError:
            logger.exception("it failed further out")
            raise


def log_and_raise() -> None:
    """Log an exception and let it go on."""
    with tracer.start_as_current_span("take"):
        try:
            take()
        except StockError:
            logger.exception("it failed")
            raise


def recorded_by_hand() -> None:
    """Record it on the span, which it then leaves."""
    with tracer.start_as_current_span("GET") as span:
        try:
            take()
        except StockError as error:
            span.record_exception(error)
            raise


def cause() -> None:
    """Let another exception leave the spans, of which it is the cause."""
    with tracer.start_as_current_span("GET"):
        wrapped()


def wrapped() -> None:
    """Raise from another exception."""
    with tracer.start_as_current_span("find"):
        try:
            take()
        except StockError as error:
            raise RuntimeError(running.get()) from error


def group() -> None:
    """Let a group leave spans."""
    with tracer.start_as_current_span("GET"), tracer.start_as_current_span("find"):
        try:
            take()
        except StockError as error:
            raise ExceptionGroup(running.get(), [error, ValueError("no price")]) from None


def notes() -> None:
    """Let an exception with notes and several lines leave spans and be logged."""
    with tracer.start_as_current_span("GET"):
        try:
            noted()
        except ValueError:
            logger.exception("it failed")


def noted() -> None:
    """Add a note."""
    with tracer.start_as_current_span("find"):
        error = ValueError(f"{running.get()}\nsecond line: no tea")
        error.add_note("while restocking")
        raise error


def twenty_spans() -> None:
    """Fail twenty times in one trace, each in a span and with a log record."""
    with tracer.start_as_current_span("GET"):
        for _ in range(20):
            try:
                inner_span()
            except StockError:
                logger.exception("it failed")


def twenty_logs() -> None:
    """Log twenty failures in one span."""
    with tracer.start_as_current_span("GET"):
        for _ in range(20):
            log_record()


def twenty_events() -> None:
    """Record twenty failures on one span."""
    with tracer.start_as_current_span("GET") as span:
        for _ in range(20):
            try:
                take()
            except StockError as error:
                span.record_exception(error)


def twenty_requests() -> None:
    """Fail twenty times, each in a trace of its own."""
    for _ in range(20):
        try:
            nested_spans()
        except StockError:
            logger.exception("it failed")


#: What fails, and how often.
WAYS = {
    span_event: 1,
    nested_spans: 1,
    log_record: 1,
    log_in_span: 1,
    both: 1,
    both_in_one_span: 1,
    recorded_by_hand: 1,
    cause: 1,
    group: 1,
    notes: 1,
    twenty_spans: 20,
    twenty_logs: 20,
    twenty_events: 20,
    twenty_requests: 20,
}


def main() -> None:
    """Fail in every way; what gets here is handled."""
    for way in WAYS:
        running.set(way.__name__)
        with contextlib.suppress(Exception):
            way()
