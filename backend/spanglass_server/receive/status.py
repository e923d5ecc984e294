"""Answers of OTLP receivers: why a request was refused, and the bodies of refusals and of successes.

Errors are ``google.rpc.Status`` in the request's encoding, over HTTP as the body and over gRPC as trailing metadata
(opentelemetry-proto, specification.md, "OTLP/HTTP Response" and "OTLP/gRPC Response"). Clients retry 429, 502, 503, 504
and UNAVAILABLE only, and drop the data on anything else.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

import grpc
import orjson
from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spanglass_server.ingest.ports import Refusal
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from spanglass_server.ingest.ports import Accepted, IngestError

#: Python's HTTP exporter drops the batch at once when told to wait longer than its budget of 10 s, and burns its
#: 6 tries in 30 ms when told 0; with 2 s it tries 5 times.
RETRY_AFTER_S: Final = 2

#: Responses must be limited; over gRPC the message is sent three times in headers, of which clients take 8 KiB.
_MESSAGE_CHARACTERS: Final = 500


class Encoding(Enum):
    """How a request's body is written, and so its response's."""

    PROTOBUF = "protobuf"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """The Content-Type of OTLP/HTTP."""
        return "application/x-protobuf" if self is Encoding.PROTOBUF else "application/json"


class _Codes(NamedTuple):
    http: int
    grpc: grpc.StatusCode
    retryable: bool = False


class Reason(Enum):
    """Why a request was refused whole; the value is the label of the counter."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    SLOW = "slow"
    UNAUTHENTICATED = "unauthenticated"
    UNSUPPORTED = "unsupported"
    METHOD = "method"
    UNKNOWN_SIGNAL = "unknown_signal"
    DISCONNECTED = "disconnected"
    INTERNAL = "internal"

    @property
    def codes(self) -> _Codes:
        """HTTP status, gRPC code, and whether the client may send the same again."""
        return _CODES[self]


_CODES: Final = {
    Reason.MALFORMED: _Codes(400, grpc.StatusCode.INVALID_ARGUMENT),
    Reason.TOO_LARGE: _Codes(413, grpc.StatusCode.RESOURCE_EXHAUSTED),
    Reason.OVERLOADED: _Codes(429, grpc.StatusCode.UNAVAILABLE, retryable=True),
    Reason.UNAVAILABLE: _Codes(503, grpc.StatusCode.UNAVAILABLE, retryable=True),
    # 408 would make an honest client on a slow line drop its data
    Reason.SLOW: _Codes(503, grpc.StatusCode.UNAVAILABLE, retryable=True),
    Reason.UNAUTHENTICATED: _Codes(401, grpc.StatusCode.UNAUTHENTICATED),
    Reason.UNSUPPORTED: _Codes(415, grpc.StatusCode.INVALID_ARGUMENT),
    Reason.METHOD: _Codes(405, grpc.StatusCode.UNIMPLEMENTED),
    Reason.UNKNOWN_SIGNAL: _Codes(404, grpc.StatusCode.UNIMPLEMENTED),
    Reason.DISCONNECTED: _Codes(499, grpc.StatusCode.CANCELLED),  # nobody is left to read it; counted only
    # our own failure may pass: with 500 the client would drop the data
    Reason.INTERNAL: _Codes(503, grpc.StatusCode.UNAVAILABLE, retryable=True),
}

_OF_REFUSAL: Final = {
    Refusal.MALFORMED: Reason.MALFORMED,
    Refusal.TOO_LARGE: Reason.TOO_LARGE,
    Refusal.OVERLOADED: Reason.OVERLOADED,
    Refusal.UNAVAILABLE: Reason.UNAVAILABLE,
}

_RESPONSES: Final[dict[Signal, tuple[type[Message], str]]] = {
    Signal.SPANS: (ExportTraceServiceResponse, "rejected_spans"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
    Signal.METRICS: (ExportMetricsServiceResponse, "rejected_data_points"),
}


class RequestRefusedError(Exception):
    """Nothing of a request was stored. ``field`` names the wrong value of a malformed one, "" the body as a whole."""

    def __init__(self, reason: Reason, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message[:_MESSAGE_CHARACTERS]
        self.field = field

    @classmethod
    def of_ingest(cls, error: IngestError) -> RequestRefusedError:
        """Translate ingest's refusal."""
        return cls(_OF_REFUSAL[error.refusal], str(error))

    @property
    def status(self) -> Status:
        """The refusal for machines: BadRequest says what was malformed, RetryInfo when to send again."""
        status = Status(code=self.reason.codes.grpc.value[0], message=self.message)
        if self.reason is Reason.MALFORMED:
            violation = BadRequest.FieldViolation(field=self.field, description=self.message)
            status.details.add().Pack(BadRequest(field_violations=[violation]))
        if self.reason.codes.retryable:
            status.details.add().Pack(retry_info())
        return status


def retry_info() -> RetryInfo:
    """How long a client shall wait before it sends a refused request again."""
    info = RetryInfo()
    info.retry_delay.seconds = RETRY_AFTER_S
    return info


def encode(message: Message, encoding: Encoding) -> bytes:
    """Write a response's message in the request's encoding."""
    if encoding is Encoding.PROTOBUF:
        return message.SerializeToString()
    return orjson.dumps(MessageToDict(message))


def success_body(signal: Signal, accepted: Accepted, encoding: Encoding) -> bytes:
    """Write an Export<Signal>ServiceResponse; ``partial_success`` is set only if there is something to say."""
    if not (accepted.rejected or accepted.message):
        return b"" if encoding is Encoding.PROTOBUF else b"{}"
    kind, rejected = _RESPONSES[signal]
    partial = {rejected: accepted.rejected, "error_message": accepted.message[:_MESSAGE_CHARACTERS]}
    return encode(kind(partial_success=partial), encoding)
