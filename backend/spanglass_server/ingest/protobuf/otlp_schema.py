"""OTLP's messages as Arrow: one handler a signal that turns protobuf bytes into record batches in Rust.

``AnyValue`` is recursive and Arrow is not. The wire format of a sub-message and of bytes is the same, so its two
recursive fields are declared as bytes in a private copy of the official descriptors; the few values that use them
are decoded one by one (see ``values.py``). The values of attributes are declared as bytes too, and are read all at
once (see ``any_values.py``). Indexes into the dictionary of profiles mean nothing in these signals and are left out.

A second copy has only what is looked at before a request is acknowledged: 10 spans become arrays of it in 0.04 ms
instead of 0.4, as most of that is for columns, whatever they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ptars
import pyarrow as pa
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from google.protobuf.descriptor import Descriptor, FileDescriptor
    from google.protobuf.descriptor_pb2 import DescriptorProto
    from google.protobuf.message import Message

_SERVICES = (trace_service_pb2, metrics_service_pb2, logs_service_pb2)
#: The official class of each signal's export request.
MESSAGES: dict[Signal, type[Message]] = {
    Signal.SPANS: trace_service_pb2.ExportTraceServiceRequest,
    Signal.LOGS: logs_service_pb2.ExportLogsServiceRequest,
    Signal.METRICS: metrics_service_pb2.ExportMetricsServiceRequest,
}
#: The official descriptor of each signal's export request.
REQUESTS: dict[Signal, Descriptor] = {
    Signal.SPANS: trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR,
    Signal.LOGS: logs_service_pb2.ExportLogsServiceRequest.DESCRIPTOR,
    Signal.METRICS: metrics_service_pb2.ExportMetricsServiceRequest.DESCRIPTOR,
}
_AS_BYTES = frozenset({"AnyValue.array_value", "AnyValue.kvlist_value", "KeyValue.value"})
_ENTRY = ["key", "value"]  # a ``KeyValue``
_UNUSED_FIELDS = frozenset({"key_strindex", "string_value_strindex"})
#: The fields that checks look at, and the way to them.
_CHECKED_FIELDS = frozenset({
    *("resource_spans", "scope_spans", "spans", "events"),
    *("trace_id", "span_id", "parent_span_id", "start_time_unix_nano", "end_time_unix_nano", "time_unix_nano"),
    *("resource_logs", "scope_logs", "log_records", "observed_time_unix_nano"),
    *("resource_metrics", "scope_metrics", "metrics"),
    *("gauge", "sum", "histogram", "exponential_histogram", "summary", "data_points"),
    *("aggregation_temporality", "flags", "as_double", "as_int", "bucket_counts", "explicit_bounds"),
})  # fmt: skip


def _for_columns(message: DescriptorProto) -> None:
    """Declare values of attributes, and those within others, as bytes, and leave out what is not used."""
    used = [field for field in message.field if field.name not in _UNUSED_FIELDS]
    for field in used:
        if f"{message.name}.{field.name}" in _AS_BYTES:
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
    if len(used) < len(message.field):
        del message.field[:]
        message.field.extend(used)


def _only_checked(message: DescriptorProto) -> None:
    """Leave out the fields that no check looks at."""
    kept = [field for field in message.field if field.name in _CHECKED_FIELDS]
    choices = sorted({field.oneof_index for field in kept if field.HasField("oneof_index")})
    for field in kept:
        if field.HasField("oneof_index"):
            field.oneof_index = choices.index(field.oneof_index)
    oneofs = [message.oneof_decl[index] for index in choices]
    del message.field[:], message.oneof_decl[:]
    message.field.extend(kept)
    message.oneof_decl.extend(oneofs)
    for nested in message.nested_type:
        _only_checked(nested)


def _add(pool: DescriptorPool, file: FileDescriptor, seen: set[str], change: Callable[[DescriptorProto], None]) -> None:
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, seen, change)
    copy = FileDescriptorProto()
    file.CopyToProto(copy)
    for message in copy.message_type:
        change(message)
    pool.Add(copy)


def _handlers(change: Callable[[DescriptorProto], None]) -> tuple[dict[Signal, Any], Any]:
    """Handlers of the official messages after ``change``."""
    pool = DescriptorPool()
    seen: set[str] = set()
    for service in _SERVICES:
        _add(pool, service.DESCRIPTOR, seen, change)
    requests = {signal: pool.FindMessageTypeByName(request.full_name) for signal, request in REQUESTS.items()}
    any_value = pool.FindMessageTypeByName(AnyValue.DESCRIPTOR.full_name)
    handlers = ptars.HandlerPool([*(request.file for request in requests.values()), any_value.file])
    by_signal = {signal: handlers.get_for_message(request) for signal, request in requests.items()}
    return by_signal, handlers.get_for_message(any_value)


#: For each signal an object whose ``list_to_record_batch(bodies)`` returns one row a body, or raises ``ValueError``;
#: the same of ``AnyValue`` alone.
HANDLERS, ANY_VALUE = _handlers(_for_columns)
#: Those of signals with only the fields that are checked; what stands in the others is not looked at.
CHECK_HANDLERS, _ = _handlers(_only_checked)


def encoded_values(batch: Any) -> Iterator[Any]:
    """The encoded values of all attributes in a record batch that a handler made: binary arrays."""
    for name in batch.schema.names:
        yield from _encoded_within(batch.column(name))


def _encoded_within(array: Any) -> Iterator[Any]:
    if pa.types.is_list(array.type):
        array = array.values
    if not len(array) or not pa.types.is_struct(array.type):
        return
    names = [field.name for field in array.type]
    if names == _ENTRY:
        yield array.field(1)
        return
    for place, field in enumerate(array.type):
        if pa.types.is_nested(field.type):
            yield from _encoded_within(array.field(place))


def record_batch(handler: Any, bodies: Sequence[bytes] | pa.BinaryArray) -> Any:
    """A record batch with a row a body; ``ValueError`` for what is malformed, and for what the library fails at."""
    try:
        if isinstance(bodies, pa.BinaryArray):
            return handler.array_to_record_batch(bodies)
        return handler.list_to_record_batch(bodies)
    except ValueError:
        raise
    except BaseException as error:  # a panic is no Exception, and its class can't be imported
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("a length goes past what holds it") from None
