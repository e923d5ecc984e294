"""Spans and metrics of the queue, after the messaging semantic conventions.

No instrumentation knows our queue, so these are made by hand. The trace context travels in the message's headers.
The worker starts a trace of its own with a link back: an order may wait for minutes, and one worker run belongs to
no single request.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from opentelemetry import context, metrics, propagate, trace

from shop.queue_table import MAX_ATTEMPTS, Message, Queue, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SYSTEM = "sqlite"
"""`messaging.system` of the queue."""

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Buckets of durations, from a quick task to an order that waits half an hour."""

logger = logging.getLogger(__name__)
tracer = trace.get_tracer("shop.messaging")
meter = metrics.get_meter("shop.messaging")

sent = meter.create_counter("messaging.client.sent.messages", "{message}", "Messages given to the queue.")
consumed = meter.create_counter("messaging.client.consumed.messages", "{message}", "Messages taken from the queue.")


def in_seconds(of: metrics.Meter, name: str, description: str) -> metrics.Histogram:
    """Make a histogram of seconds; the SDK's own buckets are made for milliseconds."""
    return of.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=BOUNDS_S)


process_duration = in_seconds(meter, "messaging.process.duration", "Time a message was worked on.")
wait = in_seconds(meter, "shop.queue.wait", "Time from sending a message to taking it.")


def _attributes(queue: Queue, operation: str) -> dict[str, str]:
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue.name,
    }


def send(queue: Queue, body: Mapping[str, Any]) -> str:
    """Put `body` into the queue under a producer span and return the message's id."""
    attributes = _attributes(queue, "send")
    message_id = new_id()
    with tracer.start_as_current_span(
        f"send {queue.name}",
        kind=trace.SpanKind.PRODUCER,
        attributes=attributes | {"messaging.message.id": message_id},
    ):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        queue.send(message_id, headers, body)
        sent.add(1, attributes)
    return message_id


def process_next(queue: Queue, work: Callable[[dict[str, Any]], None], clock_s: Callable[[], float]) -> bool:
    """Take one message and work on it under a consumer span. False when the queue is empty.

    A message whose work raises goes back into the queue; the exception is on the span and in the log.
    """
    message = queue.take()
    if message is None:
        return False
    attributes = _attributes(queue, "process")
    began_s = clock_s()
    sender = trace.get_current_span(propagate.extract(message.headers)).get_span_context()
    with tracer.start_as_current_span(
        f"process {queue.name}",
        context=context.Context(),
        kind=trace.SpanKind.CONSUMER,
        attributes=attributes | {"messaging.message.id": message.id},
        links=[trace.Link(sender)] if sender.is_valid else [],
    ) as span:
        wait.record(began_s - message.sent_s, attributes)
        span.set_attribute("shop.queue.wait_s", round(began_s - message.sent_s, 3))
        outcome = _attempt(queue, message, work, span)
        consumed.add(1, attributes | outcome)
        process_duration.record(clock_s() - began_s, attributes | outcome)
    return True


def _attempt(
    queue: Queue, message: Message, work: Callable[[dict[str, Any]], None], span: trace.Span
) -> dict[str, str]:
    try:
        work(message.body)
    except Exception as error:
        queue.release(message)
        last = message.attempts >= MAX_ATTEMPTS
        logger.exception("Attempt %d of %d failed%s", message.attempts, MAX_ATTEMPTS, ", giving up" if last else "")
        span.record_exception(error)
        span.set_status(trace.StatusCode.ERROR, str(error))
        return {"error.type": type(error).__qualname__}
    queue.finish(message)
    return {}
