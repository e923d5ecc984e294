"""Spans as OTLP's bytes: the same messages as OpenTelemetry's encoder makes.

opentelemetry/proto/trace/v1/trace.proto
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.trace import SpanKind, StatusCode

from spanglass.delivery.encoding.batches import BatchEncoder
from spanglass.delivery.encoding.values import BYTES, FIXED32, FIXED64, VARINT, block, counter, moment, tag, varint
from spanglass.sdk.private.spans import events_and_links

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Link, Status

    from spanglass.delivery.encoding.caches import Caches

_TRACE_ID = tag(1, BYTES) + varint(16)  # of a span and a link
_SPAN_ID = tag(2, BYTES) + varint(8)
_TRACE_STATE = tag(3, BYTES)
_PARENT_ID = tag(4, BYTES) + varint(8)
_NAME = tag(5, BYTES)
_START, _END = tag(7, FIXED64), tag(8, FIXED64)
_ATTRIBUTES, _DROPPED_ATTRIBUTES = tag(9, BYTES), tag(10, VARINT)
_EVENTS, _DROPPED_EVENTS = tag(11, BYTES), tag(12, VARINT)
_LINKS, _DROPPED_LINKS = tag(13, BYTES), tag(14, VARINT)
_STATUS = tag(15, BYTES)
_STATUS_MESSAGE, _STATUS_CODE = tag(2, BYTES), tag(3, VARINT)

_EVENT_TIME, _EVENT_NAME = tag(1, FIXED64), tag(2, BYTES)
_EVENT_ATTRIBUTES, _EVENT_DROPPED = tag(3, BYTES), tag(4, VARINT)
_LINK_ATTRIBUTES, _LINK_DROPPED, _LINK_FLAGS = tag(4, BYTES), tag(5, VARINT), tag(6, FIXED32)

# SpanFlags: whether the parent, or a link's span, is of another process is known, and it is not or it is
_LOCAL, _REMOTE = ((0x100).to_bytes(4, "little"), (0x300).to_bytes(4, "little"))
_FLAGS_LOCAL, _FLAGS_REMOTE = (tag(16, FIXED32) + flags for flags in (_LOCAL, _REMOTE))

# By identity: an Enum's hash and value are functions in Python, and its members live as long as the process.
_KINDS = {id(kind): tag(6, VARINT) + varint(kind.value + 1) for kind in SpanKind}
_CODES = {id(code): _STATUS_CODE + varint(code.value) if code.value else b"" for code in StatusCode}
_STATUSES = {code: _STATUS + block(body) for code, body in _CODES.items()}

_TIMES = struct.Struct("<cQcQ").pack
_TIME = struct.Struct("<Q").pack


def span_encoder() -> BatchEncoder[ReadableSpan]:
    """Make the encoder of one exporter."""
    return BatchEncoder("spans", encode_span, lambda spans: encode_spans(spans).SerializeToString())


def encode_span(span: ReadableSpan, caches: Caches) -> bytes:
    """Encode a Span message. Raises what Python raises for ids that do not fit, no context, and unknown kinds."""
    start, end = span.start_time, span.end_time
    try:
        times = _TIMES(_START, start, _END, end)
    except struct.error:  # None, a float, or out of range
        times = _TIMES(_START, moment(start), _END, moment(end))
    attributes = caches.attributes(_ATTRIBUTES, span.attributes)
    parts = [*_place(span, caches), _NAME, caches.text(span.name), _KINDS[id(span.kind)], times, attributes]
    if dropped := span.dropped_attributes:
        parts.append(counter(_DROPPED_ATTRIBUTES, dropped))
    events, links = events_and_links(span)
    if events:  # an empty one of the span's is locked and copied
        for event in span.events:
            parts += (_EVENTS, block(_event(event, caches)))
    if links:
        for link in span.links:
            parts += (_LINKS, block(_link(link, caches)))
    if dropped := getattr(events, "dropped", 0):
        parts.append(counter(_DROPPED_EVENTS, dropped))
    if dropped := getattr(links, "dropped", 0):
        parts.append(counter(_DROPPED_LINKS, dropped))
    if (status := span.status) is not None:
        parts.append(_status(status, caches))
    return b"".join(parts)


def _place(span: ReadableSpan, caches: Caches) -> list[bytes]:
    """Its ids, its parent's, what is known of that, and the trace's state."""
    context: Any = span.context  # None only of a span that nobody started
    parent = span.parent
    parts = [_TRACE_ID, context.trace_id.to_bytes(16), _SPAN_ID, context.span_id.to_bytes(8)]
    if parent is None:
        parts.append(_FLAGS_LOCAL)
    else:
        parts += (_PARENT_ID, parent.span_id.to_bytes(8), _FLAGS_REMOTE if parent.is_remote else _FLAGS_LOCAL)
    if context.trace_state:
        parts += (_TRACE_STATE, caches.text(",".join([f"{key}={each}" for key, each in context.trace_state.items()])))
    return parts


def _status(status: Status, caches: Caches) -> bytes:
    code = id(status.status_code)
    if not status.description:
        return _STATUSES[code]
    return _STATUS + block(_CODES[code] + _STATUS_MESSAGE + caches.text(status.description))


def _event(event: Event, caches: Caches) -> bytes:
    attributes = caches.attributes(_EVENT_ATTRIBUTES, event.attributes)
    return b"".join(
        (
            _EVENT_TIME + _TIME(moment(event.timestamp)),
            _EVENT_NAME + caches.text(event.name),
            attributes,
            counter(_EVENT_DROPPED, event.dropped_attributes),
        )
    )


def _link(link: Link, caches: Caches) -> bytes:
    context = link.context
    return b"".join(
        (
            _TRACE_ID + context.trace_id.to_bytes(16),
            _SPAN_ID + context.span_id.to_bytes(8),
            _LINK_FLAGS + (_REMOTE if context.is_remote else _LOCAL),
            caches.attributes(_LINK_ATTRIBUTES, link.attributes),
            counter(_LINK_DROPPED, link.dropped_attributes),
        )
    )
