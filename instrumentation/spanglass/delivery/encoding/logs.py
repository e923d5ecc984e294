"""Log records as OTLP's bytes: the same messages as OpenTelemetry's encoder makes.

opentelemetry/proto/logs/v1/logs.proto
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import SeverityNumber

from spanglass.delivery.encoding.batches import BatchEncoder
from spanglass.delivery.encoding.values import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    any_value,
    block,
    counter,
    moment,
    tag,
    varint,
)
from spanglass.sdk.private.spans import encode_logs

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord

    from spanglass.delivery.encoding.caches import Caches

_TIME, _OBSERVED = tag(1, FIXED64), tag(11, FIXED64)
_SEVERITY_TEXT = tag(3, BYTES)
_BODY = tag(5, BYTES)
_ATTRIBUTES, _DROPPED_ATTRIBUTES = tag(6, BYTES), tag(7, VARINT)
_FLAGS = tag(8, FIXED32)
_TRACE_ID = tag(9, BYTES) + varint(16)
_SPAN_ID = tag(10, BYTES) + varint(8)
_EVENT_NAME = tag(12, BYTES)

_SEVERITIES = {
    id(each): tag(2, VARINT) + varint(each.value) for each in SeverityNumber
}  # by identity, as _KINDS of spans

_TIMES = struct.Struct("<cQcQ").pack


def log_encoder() -> BatchEncoder[ReadableLogRecord]:
    """Make the encoder of one exporter."""
    return BatchEncoder("log records", encode_log, encode_logs)


def encode_log(readable: ReadableLogRecord, caches: Caches) -> bytes:
    """Encode a LogRecord message. Raises what Python raises for ids that do not fit."""
    record: Any = readable.log_record
    time, observed = record.timestamp, record.observed_timestamp
    try:
        times = _TIMES(_TIME, time, _OBSERVED, observed)
    except struct.error:  # records of logging handlers have one of them only
        times = _TIMES(_TIME, moment(time), _OBSERVED, moment(observed))
    parts = [times, _SEVERITIES.get(id(record.severity_number), b"")]
    if record.severity_text:
        parts += (_SEVERITY_TEXT, caches.text(record.severity_text))
    parts += (_BODY, block(any_value(record.body)), caches.attributes(_ATTRIBUTES, record.attributes))
    parts.append(counter(_DROPPED_ATTRIBUTES, readable.dropped_attributes))
    if record.trace_flags:
        parts += (_FLAGS, record.trace_flags.to_bytes(4, "little"))
    if record.trace_id:
        parts += (_TRACE_ID, record.trace_id.to_bytes(16))
    if record.span_id:
        parts += (_SPAN_ID, record.span_id.to_bytes(8))
    if record.event_name:
        parts += (_EVENT_NAME, caches.text(record.event_name))
    return b"".join(parts)
