"""Exporters that scrub what they pass on: they run in the thread that exports, off the application's path.

A span or record without a secret goes on as the same object. What cannot be scrubbed, because a callback or our own
code fails, goes on without anything that could hold a secret, rather than as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanglass.guard import swallow
from spanglass.scrubbing.copies import bare_log, bare_span, scrub_log, scrub_resource, scrub_span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

    from spanglass.scrubbing.scrubber import Scrubber


class _Resources:
    """Remembers the scrubbed copy of the resource that was seen last: there is one for nearly all records."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._last: tuple[Resource, Resource] | None = None

    def scrub(self, resource: Resource) -> Resource:
        last = self._last
        if last is None or last[0] is not resource:
            self._last = last = (resource, scrub_resource(resource, self._scrubber))
        return last[1]


class ScrubbingSpanExporter(SpanExporter):
    """Scrubs spans and hands them to ``inner``."""

    def __init__(self, inner: SpanExporter, scrubber: Scrubber) -> None:
        self._inner, self._scrubber = inner, scrubber
        self._resources = _Resources(scrubber)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Scrub and export; the result is the inner exporter's."""
        return self._inner.export([self._scrub(span) for span in spans])

    def _scrub(self, span: ReadableSpan) -> ReadableSpan:
        try:
            return scrub_span(span, self._scrubber, self._resources.scrub(span.resource))
        except Exception as error:  # noqa: BLE001 - whatever a callback raises
            swallow("scrub a span", error)
        return bare_span(span)

    def shutdown(self) -> None:
        """Shut the inner exporter down."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the inner exporter."""
        return self._inner.force_flush(timeout_millis)


class ScrubbingLogExporter(LogRecordExporter):
    """Scrubs log records and hands them to ``inner``."""

    def __init__(self, inner: LogRecordExporter, scrubber: Scrubber) -> None:
        self._inner, self._scrubber = inner, scrubber
        self._resources = _Resources(scrubber)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Scrub and export; the result is the inner exporter's."""
        return self._inner.export([self._scrub(record) for record in batch])

    def _scrub(self, record: ReadableLogRecord) -> ReadableLogRecord:
        try:
            return scrub_log(record, self._scrubber, self._resources.scrub(record.resource))
        except Exception as error:  # noqa: BLE001 - whatever a callback raises
            swallow("scrub a log record", error)
        return bare_log(record)

    def shutdown(self) -> None:
        """Shut the inner exporter down."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]  # the SDK's has no annotation

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the inner exporter."""
        return self._inner.force_flush(timeout_millis)
