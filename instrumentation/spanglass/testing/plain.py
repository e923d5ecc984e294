"""Captured telemetry as plain dictionaries, which compare and print well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from opentelemetry.sdk.metrics.export import NumberDataPoint
from opentelemetry.trace import format_span_id, format_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.metrics.export import ExponentialHistogramDataPoint, HistogramDataPoint, MetricsData
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext


class SpanDict(TypedDict):
    """A finished span; ids are hex, ``parent_id`` is None for a root, times are nanoseconds."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str | None
    start_ns: int
    duration_ns: int
    status: str
    status_message: str | None
    attributes: dict[str, Any]
    events: list[dict[str, Any]]
    links: list[dict[str, Any]]
    scope: str


class LogDict(TypedDict):
    """A log record; ids are None outside of any span. ``timestamp_ns`` is None where the record has none."""

    body: Any
    severity: int
    severity_text: str | None
    event_name: str | None
    attributes: dict[str, Any]
    timestamp_ns: int | None
    trace_id: str | None
    span_id: str | None
    scope: str


class MetricDict(TypedDict):
    """One data point. ``value`` is a histogram's sum, ``count`` how many it has measured; None for other kinds."""

    name: str
    kind: str
    unit: str
    attributes: dict[str, Any]
    value: float
    count: int | None
    scope: str


def span_dict(span: ReadableSpan) -> SpanDict:
    """Return one span; names are lower case: kind ``server``, status ``unset``, ``ok`` or ``error``."""
    own = _context(span)
    start_ns = span.start_time or 0
    return {
        "name": span.name,
        "kind": span.kind.name.lower(),
        "trace_id": format_trace_id(own.trace_id),
        "span_id": format_span_id(own.span_id),
        "parent_id": format_span_id(span.parent.span_id) if span.parent else None,
        "start_ns": start_ns,
        "duration_ns": (span.end_time or start_ns) - start_ns,
        "status": span.status.status_code.name.lower(),
        "status_message": span.status.description,
        "attributes": dict(span.attributes or {}),
        "events": [{"name": event.name, "attributes": dict(event.attributes or {})} for event in span.events],
        "links": [
            {
                "trace_id": format_trace_id(link.context.trace_id),
                "span_id": format_span_id(link.context.span_id),
                "attributes": dict(link.attributes or {}),
            }
            for link in span.links
        ],
        "scope": span.instrumentation_scope.name if span.instrumentation_scope else "",
    }


def log_dict(readable: ReadableLogRecord) -> LogDict:
    """Return one log record."""
    record = readable.log_record
    return {
        "body": record.body,
        "severity": record.severity_number.value if record.severity_number else 0,
        "severity_text": record.severity_text,
        "event_name": record.event_name or None,
        "attributes": dict(record.attributes or {}),
        "timestamp_ns": record.timestamp or record.observed_timestamp,
        "trace_id": format_trace_id(record.trace_id) if record.trace_id else None,
        "span_id": format_span_id(record.span_id) if record.span_id else None,
        "scope": readable.instrumentation_scope.name if readable.instrumentation_scope else "",
    }


def metric_dicts(data: MetricsData | None) -> Iterator[MetricDict]:
    """Return the data points of what one reader has collected."""
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    value, count = _measured(point)
                    yield {
                        "name": metric.name,
                        "kind": type(metric.data).__name__.lower(),
                        "unit": metric.unit or "",
                        "attributes": dict(point.attributes or {}),
                        "value": value,
                        "count": count,
                        "scope": scope.scope.name,
                    }


def _measured(point: NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint) -> tuple[float, int | None]:
    return (point.value, None) if isinstance(point, NumberDataPoint) else (point.sum, point.count)


def _context(span: ReadableSpan) -> SpanContext:
    own = span.get_span_context()
    if own is None:
        raise ValueError(f"the span {span.name!r} has no context")
    return own
