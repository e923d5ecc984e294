"""OTLP's messages as Arrow: one handler a signal that turns protobuf bytes into record batches in Rust.

``AnyValue`` is recursive and Arrow is not. The wire format of a sub-message and of bytes is the same, so the two
recursive fields are declared as bytes in a private copy of the official descriptors; the few values that use them
are decoded one by one (see ``values.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ptars
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FileDescriptor

_SERVICES = (trace_service_pb2, metrics_service_pb2, logs_service_pb2)
#: The official descriptor of each signal's export request.
REQUESTS: dict[Signal, Descriptor] = {
    Signal.SPANS: trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR,
    Signal.LOGS: logs_service_pb2.ExportLogsServiceRequest.DESCRIPTOR,
    Signal.METRICS: metrics_service_pb2.ExportMetricsServiceRequest.DESCRIPTOR,
}
_RECURSIVE_FIELDS = frozenset({"array_value", "kvlist_value"})


def _add(pool: DescriptorPool, file: FileDescriptor, seen: set[str]) -> None:
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, seen)
    copy = FileDescriptorProto()
    file.CopyToProto(copy)
    for message in copy.message_type:
        if message.name == "AnyValue":
            for field in message.field:
                if field.name in _RECURSIVE_FIELDS:
                    field.type = FieldDescriptorProto.TYPE_BYTES
                    field.ClearField("type_name")
    pool.Add(copy)


def _handlers() -> dict[Signal, Any]:
    pool = DescriptorPool()
    seen: set[str] = set()
    for service in _SERVICES:
        _add(pool, service.DESCRIPTOR, seen)
    requests = {signal: pool.FindMessageTypeByName(request.full_name) for signal, request in REQUESTS.items()}
    handlers = ptars.HandlerPool([request.file for request in requests.values()])
    return {signal: handlers.get_for_message(request) for signal, request in requests.items()}


#: For each signal an object whose ``list_to_record_batch(bodies)`` returns one row a body, or raises ``ValueError``.
HANDLERS = _handlers()
