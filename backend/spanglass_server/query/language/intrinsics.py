"""The intrinsic fields: what every span, log record or metric point has, and the names filters know it by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_args

from spanglass_server.query.answers import SpanKind, SpanStatus
from spanglass_server.query.logs import severity
from spanglass_server.signals import ASKED, FIXED_COLUMNS, Signal


class Kind(Enum):
    """What an intrinsic field's values are, which decides how they are written and compared."""

    TEXT = "text"
    NUMBER = "a number"
    DURATION = "a duration"
    TIME = "a time"
    NAMED = "a name from a list"
    SEVERITY = "a severity"
    ID = "an id in hex"
    BOOLEAN = "true or false"
    ABSENCE = "true or false, true where the column is null"


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """A field kept in fixed columns. Of several columns the first that is not null holds the value."""

    kind: Kind
    columns: tuple[str, ...]
    is_list: bool = False
    names: tuple[str, ...] = ()  # of a NAMED field: the name of each number, from 0
    size_bytes: int = 0  # of an ID
    attributes: tuple[str, ...] = ()  # keys under which older senders put the same thing


SPAN_KINDS: tuple[SpanKind, ...] = get_args(SpanKind)
STATUSES: tuple[SpanStatus, ...] = get_args(SpanStatus)
OCCURRENCE_SOURCES: tuple[Literal["span", "log"], ...] = ("span", "log")
TEMPORALITIES = ("unspecified", "delta", "cumulative")

_KINDS_BY_TYPE = {
    "VARCHAR": Kind.TEXT,
    "BLOB": Kind.ID,
    "BOOLEAN": Kind.BOOLEAN,
    "DOUBLE": Kind.NUMBER,
    "BIGINT": Kind.NUMBER,
    "INTEGER": Kind.NUMBER,
    "UBIGINT": Kind.NUMBER,
    "UINTEGER": Kind.NUMBER,
    "UTINYINT": Kind.NUMBER,
}

TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8

_SCOPE_NAMES = {
    "scope.name": "scope_name",
    "otel.scope.name": "scope_name",
    "otel.library.name": "scope_name",
    "scope.version": "scope_version",
    "otel.scope.version": "scope_version",
    "otel.library.version": "scope_version",
    "resource.schema_url": "resource_schema_url",
    "scope.schema_url": "scope_schema_url",
}

#: Names in filters for fixed columns that have another name; every scalar column also goes by its own.
_ALIASES: dict[Signal, dict[str, str]] = {
    Signal.SPANS: {
        "operation": "name",
        "duration": "duration_ns",
        "status": "status_code",
        "status.message": "status_message",
        "trace": "trace_id",
        "trace.id": "trace_id",
        "span.id": "span_id",
        "parent_id": "parent_span_id",
        "parent.id": "parent_span_id",
        "time": "start_time_ns",
        "start": "start_time_ns",
        "start_time": "start_time_ns",
        "event": "event_name",
        "event.name": "event_name",
        "link.trace_id": "link_trace_id",
        "link.span_id": "link_span_id",
        **_SCOPE_NAMES,
    },
    Signal.LOGS: {
        "message": "body",
        "event": "event_name",
        "event.name": "event_name",
        "trace": "trace_id",
        "trace.id": "trace_id",
        "span.id": "span_id",
        "time": "time_ns",
        "observed_time": "observed_time_ns",
        **_SCOPE_NAMES,
    },
    Signal.METRICS: {
        "name": "metric_name",
        "metric": "metric_name",
        "unit": "metric_unit",
        "type": "metric_type",
        "description": "metric_description",
        "time": "time_ns",
        "start_time": "start_time_ns",
        "exemplar.trace_id": "exemplar_trace_id",
        "exemplar.span_id": "exemplar_span_id",
        **_SCOPE_NAMES,
    },
    Signal.OCCURRENCES: {
        "service.name": "service_name",
        "resource.service.name": "service_name",
        "service.version": "release",
        "resource.service.version": "release",
        "deployment.environment.name": "environment",
        "resource.deployment.environment.name": "environment",
        "user.id": "user",
        "exception.type": "type",
        "exception.message": "message",
        "trace": "trace_id",
        "trace.id": "trace_id",
        "span.id": "span_id",
        "time": "time_ns",
    },
}

#: What can't be read off a column's type.
_SPECIAL: dict[Signal, dict[str, Intrinsic]] = {
    Signal.SPANS: {
        "kind": Intrinsic(Kind.NAMED, ("kind",), names=SPAN_KINDS),
        "status_code": Intrinsic(Kind.NAMED, ("status_code",), names=STATUSES),
        "duration_ns": Intrinsic(Kind.DURATION, ("duration_ns",)),
        "end_before_start_ns": Intrinsic(Kind.DURATION, ("end_before_start_ns",)),
        "root": Intrinsic(Kind.ABSENCE, ("parent_span_id",)),
    },
    Signal.LOGS: {
        "event_name": Intrinsic(Kind.TEXT, ("event_name",), attributes=("event.name",)),
    },
    Signal.METRICS: {
        "temporality": Intrinsic(Kind.NAMED, ("temporality",), names=TEMPORALITIES),
        "value": Intrinsic(Kind.NUMBER, ("value_int", "value_double")),
    },
    Signal.OCCURRENCES: {
        "source": Intrinsic(Kind.NAMED, ("source",), names=OCCURRENCE_SOURCES),
    },
}

#: Fields that are no column: what several say together.
_COMPUTED = {Signal.LOGS: {"severity": Intrinsic(Kind.SEVERITY, severity.COLUMNS)}}


def _of_column(column: str, sql_type: str) -> Intrinsic:
    is_list = sql_type.endswith("[]")
    kind = _KINDS_BY_TYPE[sql_type.removesuffix("[]")]
    if kind is Kind.NUMBER and column.endswith("time_ns"):
        kind = Kind.TIME
    size_bytes = TRACE_ID_BYTES if column.endswith("trace_id") else _SPAN_ID_BYTES
    return Intrinsic(kind, (column,), is_list=is_list, size_bytes=size_bytes if kind is Kind.ID else 0)


def _table(signal: Signal) -> dict[str, Intrinsic]:
    columns = {name: _of_column(name, sql_type) for name, sql_type in FIXED_COLUMNS[signal].items()}
    columns |= _SPECIAL[signal]
    table = {name: field for name, field in columns.items() if not field.is_list} | _COMPUTED.get(signal, {})
    return table | {alias: columns[column] for alias, column in _ALIASES[signal].items()}


#: The intrinsic fields of each signal by every name they go by.
INTRINSICS: dict[Signal, dict[str, Intrinsic]] = {signal: _table(signal) for signal in ASKED}

#: Short names for attributes, in any signal.
SHORT_NAMES = {"service": "resource.service.name"}


def intrinsic_keys(signal: Signal) -> tuple[str, ...]:
    """Names of intrinsic fields and short names, sorted, as completion offers them: of several names the shortest."""
    best: dict[Intrinsic, str] = {}
    for name, field in INTRINSICS[signal].items():
        best[field] = min(best.get(field, name), name, key=lambda text: (len(text), "." in text, text))
    return tuple(sorted((*best.values(), *SHORT_NAMES)))


def fixed_values(key: str, signal: Signal) -> tuple[str, ...]:
    """All values of an intrinsic field that has a list of them (``kind``, ``status``, ``severity``), else nothing."""
    field = INTRINSICS[signal].get(key)
    if field is None:
        return ()
    if field.kind is Kind.SEVERITY:
        return severity.WORDS
    if field.kind in (Kind.BOOLEAN, Kind.ABSENCE):
        return ("true", "false")
    return field.names
