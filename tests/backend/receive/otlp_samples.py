"""OTLP requests for tests of receivers: arbitrary protobuf messages, and an OTLP/JSON writer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from google.protobuf.message import Message

REQUESTS = {
    Signal.SPANS: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
RESPONSES = {
    Signal.SPANS: ExportTraceServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
    Signal.METRICS: ExportMetricsServiceResponse,
}
PATHS = {Signal.SPANS: "/v1/traces", Signal.LOGS: "/v1/logs", Signal.METRICS: "/v1/metrics"}

_HEX = {"trace_id", "span_id", "parent_span_id"}
_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
_SIGNED_32 = st.integers(-(2**31), 2**31 - 1)
_SIGNED_64 = st.integers(-(2**63), 2**63 - 1)
_UNSIGNED_32 = st.integers(0, 2**32 - 1)
_UNSIGNED_64 = st.integers(0, 2**64 - 1)
_SCALARS = {
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: _SIGNED_32,
    FieldDescriptor.TYPE_INT64: _SIGNED_64,
    FieldDescriptor.TYPE_UINT32: _UNSIGNED_32,
    FieldDescriptor.TYPE_UINT64: _UNSIGNED_64,
    FieldDescriptor.TYPE_SINT32: _SIGNED_32,
    FieldDescriptor.TYPE_FIXED32: _UNSIGNED_32,
    FieldDescriptor.TYPE_FIXED64: _UNSIGNED_64,
    FieldDescriptor.TYPE_SFIXED64: _SIGNED_64,
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=8),
}

_VALUES_DEEP = 3  # lists and maps in one another


@st.composite
def messages(draw: st.DrawFn, kind: type[Message], depth: int = 0) -> Message:
    """Draw a message with any subset of its fields; one field of each oneof at most."""
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        too_deep = field.name in {"array_value", "kvlist_value"} and depth > 7 + _VALUES_DEEP
        if too_deep or (field.containing_oneof and message.WhichOneof(field.containing_oneof.name)):
            continue
        if not draw(st.integers(0, 2)):
            continue
        if field.is_repeated:
            values = draw(st.lists(_value(field, depth), max_size=2))
            getattr(message, field.name).extend(values)
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(draw(_value(field, depth)))
        else:
            setattr(message, field.name, draw(_value(field, depth)))
    return message


def _value(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(field.message_type._concrete_class, depth + 1)
    if field.enum_type is not None:
        return st.sampled_from(list(field.enum_type.values_by_number))
    if field.name in _HEX:
        return st.binary(max_size=16)
    return _SCALARS[field.type]


def span_request(count: int = 1, **fields: Any) -> ExportTraceServiceRequest:
    """Make a request of ``count`` spans of one service; ``fields`` go into every span."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
    spans = resource_spans.scope_spans.add().spans
    for index in range(1, count + 1):
        spans.add(
            **{
                "trace_id": index.to_bytes(16, "big"),
                "span_id": index.to_bytes(8, "big"),
                "name": "GET /basket",
                "kind": 2,
                "start_time_unix_nano": 1_700_000_000_000_000_000 + index,
                "end_time_unix_nano": 1_700_000_000_001_000_000 + index,
                **fields,
            }
        )
    return request
