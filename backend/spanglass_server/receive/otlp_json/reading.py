"""OTLP/JSON to OTLP protobuf, so that ingest has one input: what an exporter with the other encoding would send."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.receive.otlp_json.messages import MAX_NESTING, message_encoders
from spanglass_server.receive.otlp_json.values import BadValue
from spanglass_server.signals import Signal

_ENCODERS: Final = message_encoders(
    {
        Signal.SPANS: ExportTraceServiceRequest.DESCRIPTOR,
        Signal.LOGS: ExportLogsServiceRequest.DESCRIPTOR,
        Signal.METRICS: ExportMetricsServiceRequest.DESCRIPTOR,
    }
)

#: The member of a request that holds its records, and the path that takes it.
_MEMBERS: Final = {Signal.SPANS: "resourceSpans", Signal.LOGS: "resourceLogs", Signal.METRICS: "resourceMetrics"}
_PATHS: Final = {
    "resourceSpans": "/v1/traces",
    "resourceLogs": "/v1/logs",
    "resourceMetrics": "/v1/metrics",
    "resourceProfiles": "/v1development/profiles",
}
#: Members of a resource's records before OTLP 0.15, and what they are called since.
_BEFORE_1_0: Final = {
    "instrumentationLibrarySpans": "scopeSpans",
    "instrumentation_library_spans": "scopeSpans",
    "instrumentationLibraryLogs": "scopeLogs",
    "instrumentation_library_logs": "scopeLogs",
    "instrumentationLibraryMetrics": "scopeMetrics",
    "instrumentation_library_metrics": "scopeMetrics",
}
_MOST_NAMES: Final = 5
_PAST_64_BITS: Final = 2.0**63


class OtlpJsonError(ValueError):
    """A body is not OTLP/JSON: not JSON at all (``path`` is ""), or a value that its field can't hold.

    ``path`` names the value as in ``resourceSpans[0].scopeSpans[0].spans[3].traceId``; ``reason`` says what was
    expected there.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


def most_values(body: bytes) -> int:
    """Count how many values a JSON text may hold at most, in 0.5 ms a MiB; parsed, each takes up to 150 bytes.

    Each value but the first of a list or an object has a comma before it. Those within strings are counted too.
    """
    return body.count(b",") + body.count(b"{") + body.count(b"[") + 1


def otlp_json_to_protobuf(signal: Signal, body: bytes) -> bytes:
    """Turn one Export<Signal>ServiceRequest from OTLP/JSON into protobuf wire bytes.

    Unknown fields are ignored and nulls count as unset. Record-level rules (an id's length, a missing time) are not
    judged here: ingest rejects such records one by one, whatever their encoding was.

    Raises ``OtlpJsonError``.
    """
    document = _parse(body)
    try:
        _check_envelope(signal, document)
        return _ENCODERS[signal](document, MAX_NESTING)
    except BadValue as error:
        raise OtlpJsonError(error.path, error.reason) from None


def _parse(body: bytes) -> Any:
    """Parse JSON. What orjson refuses is parsed again by the standard library, which reads 1e400 as infinity."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "infinity" not in str(error):
            raise OtlpJsonError("", f"the body is not JSON: {error}") from None
    try:
        return json.loads(body, parse_int=_parse_integer, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise OtlpJsonError("", f"the body is not JSON: {error}") from None


def _parse_integer(text: str) -> int | float:
    """Read an integer as orjson does: as a double past 64 bits."""
    number = float(text)
    return int(text) if abs(number) < _PAST_64_BITS else number


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON value; write it as a string")


def _check_envelope(signal: Signal, document: Any) -> None:
    """Refuse what is meant for another path, or has another shape: unknown members alone would be an empty success."""
    if type(document) is not dict:
        return
    member = _MEMBERS[signal]
    for name, value in document.items():
        path = _PATHS.get(_camel_case(name))
        if value and path is not None and path != _PATHS[member]:
            raise BadValue(f"{name} is sent to {path}, not to {_PATHS[member]}; check the exporter's endpoint")
    envelopes = document.get(member) or document.get(_snake_case(member))
    if envelopes is None and any(isinstance(value, (dict, list)) and value for value in document.values()):
        names = ", ".join(sorted(document)[:_MOST_NAMES])
        raise BadValue(f"the body has no {member}, only {names}: it is not OTLP/JSON; send it with an OTLP exporter")
    for index, envelope in enumerate(envelopes if type(envelopes) is list else ()):
        old = next((name for name in envelope if name in _BEFORE_1_0), None) if type(envelope) is dict else None
        if old is not None:
            error = BadValue(f"{old} is the shape before OTLP 1.0, now {_BEFORE_1_0[old]}; upgrade the sender's SDK")
            error.under(index)
            error.under(member)
            raise error


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
