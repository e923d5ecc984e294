"""The SDK's processors on top of bounded queues: what has ended is put aside on the application's thread."""

from __future__ import annotations

import copy
import logging
import os
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from opentelemetry.context import Context
from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor

from spanglass.clock import NS_PER_S
from spanglass.delivery.batching import BATCH, DELAY_S, Batcher
from spanglass.delivery.signals import LOGS, TRACES, Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from spanglass.delivery.closing import Closing
    from spanglass.delivery.counts import DeliveryCounts

Item = TypeVar("Item")
Taken_contra = TypeVar("Taken_contra", contravariant=True)

_MS_PER_S = 1_000
_NO_CONTEXT: Any = Context()
_NO_RESOURCE = Resource({})

#: What the variables of OpenTelemetry for the queue of a signal begin with.
_PREFIXES = {TRACES.name: "OTEL_BSP", LOGS.name: "OTEL_BLRP"}

_logger = logging.getLogger("spanglass")


class _Exporter(Protocol[Taken_contra]):
    """What a ``SpanExporter`` and a ``LogRecordExporter`` have in common."""

    def export(self, batch: Sequence[Taken_contra], /) -> object: ...

    def shutdown(self) -> object: ...


class _Queued(Generic[Item]):
    """A queue in front of an exporter, and its end; the processor of each signal puts into it what it takes."""

    signal: Signal

    def __init__(
        self,
        exporter: _Exporter[Item],
        counts: DeliveryCounts,
        closing: Closing,
        *,
        capacity: int,
        timeout_ns: int,
        rescue: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        signal, prefix = self.signal, _PREFIXES[self.signal.name]
        self._exporter = exporter
        self._timeout_ns = timeout_ns
        self.queue: Batcher[Item] = Batcher(
            exporter.export,
            closing,
            what=signal.nouns,
            capacity=capacity,
            dropped=lambda records, why: counts.dropped(signal, records, why),
            timeout_ns=timeout_ns,
            rescue=rescue,
            delay_s=_whole(f"{prefix}_SCHEDULE_DELAY", environ, round(DELAY_S * _MS_PER_S)) / _MS_PER_S,
            batch=_whole(f"{prefix}_MAX_EXPORT_BATCH_SIZE", environ, BATCH),
        )

    def shutdown(self) -> None:
        """Export what is queued, within the time there is, and shut the exporter down."""
        self.queue.stop()
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Export what is queued; False if that took longer."""
        timeout_s = self._timeout_ns / NS_PER_S if timeout_millis is None else timeout_millis / _MS_PER_S
        return self.queue.flush(timeout_s)


class SpanBatcher(_Queued["ReadableSpan"], SpanProcessor):
    """Queues ended spans that are sampled, for a span exporter."""

    signal = TRACES

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing: only what has ended is exported."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span."""
        context = span.context
        if context is not None and context.trace_flags & 1:  # `.sampled` says the same and takes longer
            self.queue.put(span)


class LogBatcher(_Queued[ReadableLogRecord], LogRecordProcessor):
    """Queues log records, for a log exporter."""

    signal = LOGS

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue the record."""
        self.queue.put(readable(log_record))


def readable(log_record: ReadWriteLogRecord) -> ReadableLogRecord:
    """Take a record as it is now, without its context, which may hold on to much."""
    own = copy.copy(log_record.log_record)
    own.context = _NO_CONTEXT
    return ReadableLogRecord(
        own, log_record.resource or _NO_RESOURCE, log_record.instrumentation_scope, log_record.limits
    )


def _whole(variable: str, environ: Mapping[str, str], otherwise: int) -> int:
    """Read one of OpenTelemetry's variables for its queues: a positive number; what is none is said and not used."""
    text = environ.get(variable, "").strip()
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and int(text[:9])):
        _logger.warning("environment variable %s: expected a positive whole number, so %d is used", variable, otherwise)
        return otherwise
    return int(text[:9])
