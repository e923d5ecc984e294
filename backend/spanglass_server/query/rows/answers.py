"""Types of the records in answers: spans and log records as the API shows them, and messages of OTLP/JSON."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from spanglass_server.query.answers import (
    Attributes,
    HexId,
    JsonSchema,
    Nanoseconds,
    NextCursor,
    Slot,
    SpanKind,
    SpanState,
    SpanStatus,
    Time,
)
from spanglass_server.query.logs.severity import Severity

RecordId = Annotated[str, JsonSchema({"description": "opaque; the same in every answer"})]


class Scope(TypedDict):
    """The instrumentation that made a record."""

    name: str
    version: str
    attributes: Attributes


class Event(TypedDict):
    """An event of a span."""

    time: Time
    offset_ns: Nanoseconds
    name: str
    attributes: Attributes


class Link(TypedDict):
    """A link of a span."""

    trace_id: HexId
    span_id: HexId
    attributes: Attributes


class Dropped(TypedDict):
    """How much of a span its sender dropped."""

    attributes: int
    events: int
    links: int


class SpanFields(TypedDict):
    """What every answer with spans shows of one."""

    span_id: HexId
    parent_span_id: HexId | None
    service: str
    slot: Slot
    name: str
    kind: SpanKind
    start_time: Time
    start_unknown: bool
    duration_ns: Nanoseconds
    status: SpanStatus
    status_message: str
    reason: str | None
    attributes: Attributes
    resource: Attributes
    scope: Scope
    events: list[Event]
    links: list[Link]
    trace_state: str
    flags: int
    dropped: Dropped


class Span(SpanFields):
    """A span, of whichever trace."""

    trace_id: HexId


class Heard(TypedDict):
    """Whether a span has ended, and when one that has not was last heard of."""

    state: SpanState
    last_heard_time: Time | None


class HeardSpan(Span, Heard):
    """A span that may not have ended."""


class Log(TypedDict):
    """A log record."""

    id: RecordId
    time: Time
    observed_time: Time | None
    severity: Severity
    severity_number: int
    severity_text: str
    service: str
    slot: Slot
    body: Any
    event_name: str
    trace_id: HexId | None
    span_id: HexId | None
    attributes: Attributes
    resource: Attributes
    scope: Scope
    columns: NotRequired[dict[str, Any]]


class TracesData(TypedDict):
    """Spans in OTLP/JSON."""

    resourceSpans: list[dict[str, Any]]


class LogsData(TypedDict):
    """Log records in OTLP/JSON."""

    resourceLogs: list[dict[str, Any]]


class MetricsData(TypedDict):
    """Data points in OTLP/JSON."""

    resourceMetrics: list[dict[str, Any]]


class TracesDataPage(TracesData):
    """``TracesData`` with the next page's cursor, which receivers of OTLP ignore."""

    next_cursor: NextCursor


class MetricsDataPage(MetricsData):
    """``MetricsData`` with the next page's cursor, which receivers of OTLP ignore."""

    next_cursor: NextCursor
