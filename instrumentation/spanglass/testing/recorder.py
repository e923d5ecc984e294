"""Where captured telemetry is kept: lists in memory, fed by the SDK's own interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord
from opentelemetry.sdk.resources import Resource

from spanglass.sdk.private.spans import AtEnd, tell_ending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor


class Recorder:
    """Spans in the order of their ends, log records in the order of their emission, and a way to collect metrics.

    Threads only append, which is one step for the interpreter: there is no lock.
    """

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.logs: list[ReadableLogRecord] = []
        self.collect: Callable[[], MetricsData | None] = lambda: None

    def collected(self) -> MetricsData | None:
        """Return the metrics of the block so far; observable instruments are asked only while it is open."""
        return self.collect()


class RecordingSpanProcessor(AtEnd):
    """Hands every finished span to every recorder; ``enrichers`` see it before, as they would without us."""

    def __init__(self, recorders: Sequence[Recorder], enrichers: Sequence[SpanProcessor]) -> None:
        self._recorders = recorders
        self._enrichers = enrichers

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Let the application's processors add what they add when a span begins."""
        for enricher in self._enrichers:
            enricher.on_start(span, parent_context)

    def ending(self, span: Span) -> None:
        """Let them add what they add when it ends."""
        for enricher in self._enrichers:
            tell_ending(enricher, span)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span."""
        for recorder in self._recorders:
            recorder.spans.append(span)


class RecordingLogProcessor(LogRecordProcessor):
    """Hands every log record to every recorder; ``enrichers`` see it before."""

    def __init__(self, recorders: Sequence[Recorder], enrichers: Sequence[LogRecordProcessor]) -> None:
        self._recorders = recorders
        self._enrichers = enrichers

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Keep the record."""
        for enricher in self._enrichers:
            enricher.on_emit(log_record)
        kept = ReadableLogRecord(
            log_record.log_record,
            log_record.resource or Resource.get_empty(),
            log_record.instrumentation_scope,
            log_record.limits,
        )
        for recorder in self._recorders:
            recorder.logs.append(kept)

    def shutdown(self) -> None:
        """Nothing waits."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits."""
        del timeout_millis
        return True
