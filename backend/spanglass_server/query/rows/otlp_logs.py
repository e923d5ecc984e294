"""Stored log records as OTLP/JSON ``LogsData``, without loss (opentelemetry-proto, logs.proto)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.overflow import value_of_text
from spanglass_server.query.rows.otlp_json import Json, filled, grouped, hex_id
from spanglass_server.query.rows.otlp_values import any_value, key_values, whole_number
from spanglass_server.query.rows.stored_rows import Rows
from spanglass_server.signals import ValueType

if TYPE_CHECKING:
    import pyarrow as pa

    from spanglass_server.query.rows.answers import LogsData

_EMPTY = "empty"  # the type of a body that was not sent


def logs_data(table: pa.Table) -> LogsData:
    """Write stored log records as ``LogsData``."""
    return {"resourceLogs": grouped(Rows(table), "scopeLogs", "logRecords", _log_record)}


def _log_record(rows: Rows, row: int) -> Json:
    sent_ns = None if rows.value("time_is_observed", row) else rows.value("time_ns", row)
    return filled(
        timeUnixNano=whole_number(sent_ns),
        observedTimeUnixNano=whole_number(rows.value("observed_time_ns", row)),
        severityNumber=rows.value("severity_number", row),
        severityText=rows.value("severity_text", row),
        body=_body(rows.value("body", row), rows.value("body_type", row)),
        attributes=key_values(rows.attributes.of_record("log", row)),
        droppedAttributesCount=rows.value("dropped_attributes_count", row),
        flags=rows.value("flags", row),
        traceId=hex_id(rows.value("trace_id", row)),
        spanId=hex_id(rows.value("span_id", row)),
        eventName=rows.value("event_name", row),
    )


def _body(text: str | None, kind: str | None) -> Any:
    if text is None or kind == _EMPTY:
        return None
    stored = ValueType.STR if kind is None else ValueType(kind)
    return any_value(stored, value_of_text(stored, text))
