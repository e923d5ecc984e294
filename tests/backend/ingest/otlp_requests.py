"""Requests that may be stored as they are: any of the protocol's fields, in values that pass every check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.ingest.records.checks import LATEST_NS
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from google.protobuf.message import Message

REQUESTS = {
    Signal.SPANS: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}

#: Texts that break naive code: NUL, quotes, separators of our own names, an emoji, right-to-left, and long ones.
_TEXT = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["", "\0", "'\"", "a.b:int", "🙈", "שלום", "\n\t", "x" * 300, "cut… [cut, 9 bytes]"]
)
_KEY = _TEXT | st.sampled_from(
    [
        "k",
        "K",
        "Tenant",
        "a^b",
        "^",
        "É",
        "é",
        "\u212a",
        "$bytes",
        "$",
        "ß",
        "ss",
        "service.name",
        "null",
        "k" * 257,
        "_1",
        "a b",
    ]
)
_SIGNED_32 = st.integers(-(2**31), 2**31 - 1)
_SIGNED_64 = st.integers(-(2**63), 2**63 - 1)
_UNSIGNED_32 = st.integers(0, 2**32 - 1)
_UNSIGNED_64 = st.integers(0, 2**64 - 1)
_SCALARS = {
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT64: _SIGNED_64,
    FieldDescriptor.TYPE_UINT32: _UNSIGNED_32,
    FieldDescriptor.TYPE_UINT64: _UNSIGNED_64,
    FieldDescriptor.TYPE_INT32: _SIGNED_32,
    FieldDescriptor.TYPE_SINT32: _SIGNED_32,
    FieldDescriptor.TYPE_FIXED32: _UNSIGNED_32,
    FieldDescriptor.TYPE_FIXED64: _UNSIGNED_64,
    FieldDescriptor.TYPE_SFIXED64: _SIGNED_64,
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=20),
}
_TIME = st.integers(0, LATEST_NS - 1)
_TRACE_ID = st.binary(min_size=16, max_size=16).filter(any)
_SPAN_ID = st.binary(min_size=8, max_size=8).filter(any)
_NEVER = st.nothing()

#: Fields whose values the checks restrict, by message and field. ``_NEVER``: of profiles, or of no data point.
_RESTRICTED: dict[str, st.SearchStrategy[Any]] = {
    "AnyValue.string_value_strindex": _NEVER,
    "KeyValue.key_strindex": _NEVER,
    "KeyValue.key": _KEY,
    "Span.trace_id": _TRACE_ID,
    "Span.span_id": _SPAN_ID,
    "Span.parent_span_id": _SPAN_ID,
    "Exemplar.trace_id": _TRACE_ID,
    "Exemplar.span_id": _SPAN_ID,
    "LogRecord.trace_id": _TRACE_ID,
    "LogRecord.span_id": _SPAN_ID,
    "LogRecord.time_unix_nano": _TIME,
    "LogRecord.observed_time_unix_nano": _TIME,
    "Span.start_time_unix_nano": _TIME,
    "Span.end_time_unix_nano": _TIME,
    "Event.time_unix_nano": _TIME,
    "aggregation_temporality": st.sampled_from([1, 2]),
    "DataPoint.time_unix_nano": st.integers(1, LATEST_NS - 1),
    "DataPoint.start_time_unix_nano": _TIME,
}
_REQUIRED = {"Span.trace_id", "Span.span_id", "DataPoint.time_unix_nano", "aggregation_temporality"}
_LEVELS = {"resource_spans", "resource_logs", "resource_metrics", "scope_spans", "scope_logs", "scope_metrics"}
_RECORDS = {"spans", "log_records", "metrics", "data_points"}
_NESTED = 3  # lists and maps in one another


def _rule(field: FieldDescriptor) -> str:
    """The field's name in the tables above."""
    owner = field.containing_type.name
    owner = "DataPoint" if owner.endswith("DataPoint") else owner
    return field.name if field.name == "aggregation_temporality" else f"{owner}.{field.name}"


@st.composite
def messages(draw: st.DrawFn, kind: type[Message], nested: int = 0) -> Message:
    """Draw a message with any subset of its fields, and one field of each oneof at most."""
    message = kind()
    fields = list(kind.DESCRIPTOR.fields)
    first = draw(st.integers(0, len(fields) - 1))  # so that any member of a oneof may come first
    for field in fields[first:] + fields[:first]:
        rule = _rule(field)
        if field.name in {"array_value", "kvlist_value"} and nested >= _NESTED:
            continue
        if _RESTRICTED.get(rule) is _NEVER:
            continue
        if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
            continue
        always = rule in _REQUIRED or field.name in _LEVELS | _RECORDS
        if always or draw(st.booleans()):
            _set(draw, message, field, nested + (field.name in {"array_value", "kvlist_value"}))
    _REPAIRS.get(kind.DESCRIPTOR.name, lambda _: None)(message)
    return message


def _set(draw: st.DrawFn, message: Message, field: FieldDescriptor, nested: int) -> None:
    value = _values(field, nested)
    if field.is_repeated:
        keyed = field.message_type is not None and field.message_type.name == "KeyValue"
        most = 6 if keyed else 3 if field.name in _RECORDS else 2
        items = draw(st.lists(value, max_size=most, unique_by=(lambda entry: entry.key) if keyed else None))
        getattr(message, field.name).extend(items)
    elif field.message_type is not None:
        getattr(message, field.name).CopyFrom(draw(value))
    else:
        setattr(message, field.name, draw(value))


def _values(field: FieldDescriptor, nested: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(field.message_type._concrete_class, nested)
    restricted = _RESTRICTED.get(_rule(field))
    if restricted is not None:
        return restricted
    if field.enum_type is not None:
        return st.sampled_from(list(field.enum_type.values_by_number))
    return _SCALARS[field.type]


def _with_value(point: Any) -> None:
    """A number point has a value, or says that it has none."""
    if point.WhichOneof("value") is None:
        point.flags |= 1


def _with_buckets(point: Any) -> None:
    """A histogram has a bucket more than it has bounds, or neither."""
    if point.bucket_counts:
        bounds = [*point.explicit_bounds, 1.0, 2.0, 3.0][: len(point.bucket_counts) - 1]
        del point.explicit_bounds[:]
        point.explicit_bounds.extend(bounds)
    else:
        del point.explicit_bounds[:]


_REPAIRS: dict[str, Any] = {"NumberDataPoint": _with_value, "HistogramDataPoint": _with_buckets}


def requests(signal: Signal) -> st.SearchStrategy[Any]:
    """Whole requests of one signal."""
    return messages(REQUESTS[signal])
