"""An OTLP/HTTP receiver on a real socket that keeps what it gets as flat records."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue


@dataclass(frozen=True)
class Record:
    """One span, log record or data point. `raw` is the protobuf message, `value` a point's number or histogram sum."""

    kind: str
    service: str
    name: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    scope: str
    raw: Any = field(repr=False)
    value: float | None = None

    @property
    def trace_id(self) -> bytes:
        """Trace of a span or log record; empty for a data point."""
        return bytes(getattr(self.raw, "trace_id", b""))

    @property
    def time_ns(self) -> int:
        """Start of a span, time of a log record or data point, in Unix nanoseconds."""
        return int(getattr(self.raw, "start_time_unix_nano", 0) or self.raw.time_unix_nano)

    @property
    def failed(self) -> bool:
        """True for a span with status error."""
        return bool(self.raw.status.code == Status.STATUS_CODE_ERROR)

    @property
    def duration_ms(self) -> float:
        """Duration of a span in milliseconds."""
        return float(self.raw.end_time_unix_nano - self.raw.start_time_unix_nano) / 1e6

    @property
    def exceptions(self) -> list[dict[str, Any]]:
        """Attributes of the exception events of a span."""
        return [plain(event.attributes) for event in self.raw.events if event.name == "exception"]


def plain(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Return attributes as a dict; arrays and maps stay messages."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value") or "string_value") for item in attributes}


def _spans(request: Any) -> Iterator[Record]:
    for group in request.resource_spans:
        resource = plain(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Record(
                    "span",
                    resource["service.name"],
                    span.name,
                    plain(span.attributes),
                    resource,
                    scope.scope.name,
                    span,
                )


def _logs(request: Any) -> Iterator[Record]:
    for group in request.resource_logs:
        resource = plain(group.resource.attributes)
        for scope in group.scope_logs:
            for log in scope.log_records:
                body = log.body.string_value
                yield Record(
                    "log", resource["service.name"], body, plain(log.attributes), resource, scope.scope.name, log
                )


def _points(request: Any) -> Iterator[Record]:
    for group in request.resource_metrics:
        resource = plain(group.resource.attributes)
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    yield Record(
                        "point",
                        resource["service.name"],
                        metric.name,
                        plain(point.attributes),
                        resource,
                        scope.scope.name,
                        point,
                        _number(point),
                    )


def _number(point: Any) -> float:
    return float(point.sum if hasattr(point, "sum") else getattr(point, point.WhichOneof("value")))


ROUTES = {
    "/v1/traces": (ExportTraceServiceRequest, _spans),
    "/v1/logs": (ExportLogsServiceRequest, _logs),
    "/v1/metrics": (ExportMetricsServiceRequest, _points),
}


class Receiver:
    """The receiver, as a context manager. Records stand in the order in which they came."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self) -> int:
        """Return how many records have come."""
        with self._lock:
            return len(self._records)

    def since(self, mark: int) -> list[Record]:
        """Return the records that came after the first `mark`."""
        with self._lock:
            return self._records[mark:]

    def _take(self, path: str, body: bytes) -> None:
        message, flatten = ROUTES[path]
        records = list(flatten(message.FromString(body)))
        with self._lock:
            self._records.extend(records)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                take(self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        return Handler
