"""What a body of which nothing could be stored really is: another signal's, or a shape before OTLP 1.0.

Runs only for such bodies: it parses them again, which takes about 1 ms for a batch of 500 records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from google.protobuf.message import Message

_REQUESTS: Final[dict[Signal, type[Message]]] = {
    Signal.SPANS: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
_PATHS: Final = {Signal.SPANS: "/v1/traces", Signal.LOGS: "/v1/logs", Signal.METRICS: "/v1/metrics"}
#: Where OTLP 0.15 to 0.19 kept ``instrumentation_library_spans`` and its like beside today's field 2.
_LIBRARY_RECORDS: Final = 1000


def explain_misdirected(signal: Signal, body: bytes) -> str | None:
    """Return what is wrong with a protobuf request that was sent as ``signal``, and what to do; None if unknown."""
    request = _parse(signal, body)
    if request is not None:
        if any(_is_before_1_0(envelope) for envelope in _envelopes(request)):
            return "the body has the shape before OTLP 1.0 (instrumentation libraries, now scopes); upgrade the SDK"
        if not _has_unknown_fields(request):
            return None
    for other in _REQUESTS:
        found = _parse(other, body) if other is not signal else None
        if found is not None and any(True for _ in _envelopes(found)) and not _has_unknown_fields(found):
            return f"the body holds {other}, but was sent as {signal}; send {other} to {_PATHS[other]}"
    return None


def _parse(signal: Signal, body: bytes) -> Message | None:
    try:
        return _REQUESTS[signal].FromString(body)
    except DecodeError:
        return None


def _envelopes(request: Any) -> Any:
    """Return the request's resources with their records; a request has this one field."""
    return getattr(request, request.DESCRIPTOR.fields[0].name)


def _is_before_1_0(envelope: Message) -> bool:
    unknown = UnknownFieldSet(envelope)
    return any(unknown[index].field_number == _LIBRARY_RECORDS for index in range(len(unknown)))


def _has_unknown_fields(request: Message) -> bool:
    known = type(request)()
    known.CopyFrom(request)
    known.DiscardUnknownFields()
    return known.ByteSize() != request.ByteSize()
