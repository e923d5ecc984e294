"""OTLP requests of the end-to-end tests: small, numbered, so that every record can be asked for afterwards."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loadgen.server import Answer, ServerProcess

PROTOBUF = {"Content-Type": "application/x-protobuf"}
GZIP = {**PROTOBUF, "Content-Encoding": "gzip"}


def span_id(number: int) -> bytes:
    """Return the id of a numbered span; 0 is not a valid id."""
    return (number + 1).to_bytes(8, "big")


def trace_id(number: int) -> bytes:
    """Return the trace id of a numbered span: every span is a trace of its own."""
    return (number + 1).to_bytes(16, "big")


def spans(numbers: Iterable[int], service: str = "numbered") -> ExportTraceServiceRequest:
    """Make one request with a span for each number, ended now."""
    now_ns = time.time_ns()
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_spans.add()
    for number in numbers:
        span = scope.spans.add(trace_id=trace_id(number), span_id=span_id(number), name=f"span {number}")
        span.start_time_unix_nano, span.end_time_unix_nano = now_ns - 1_000_000, now_ns
        span.attributes.add(key="test.number").value.int_value = number
    return request


def logs(numbers: Iterable[int]) -> ExportLogsServiceRequest:
    """Make one request with a log record for each number."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for number in numbers:
        record = scope.log_records.add(time_unix_nano=time.time_ns(), severity_number=9)
        record.body.string_value = f"log {number}"
    return request


def gauges(numbers: Iterable[int]) -> ExportMetricsServiceRequest:
    """Make one request with a data point for each number."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="test.gauge", unit="1")
    for number in numbers:
        metric.gauge.data_points.add(time_unix_nano=time.time_ns(), as_int=number)
    return request


def post(server: ServerProcess, body: bytes, headers: dict[str, str] | None = None, kind: str = "traces") -> Answer:
    """POST a body to the OTLP/HTTP route of a kind."""
    return server.request("POST", f"/v1/{kind}", body, headers or PROTOBUF)


def post_spans(server: ServerProcess, numbers: Iterable[int]) -> None:
    """Send numbered spans and insist on the acknowledgement."""
    answer = post(server, spans(numbers).SerializeToString())
    assert (answer.status, answer.body) == (200, b"")


def stored_span_ids(server: ServerProcess) -> list[bytes]:
    """Return the ids of all stored spans in order, each as often as it is stored."""
    answer = server.request(
        "POST",
        "/api/v1/sql",
        b'{"sql": "SELECT span_id FROM spans ORDER BY span_id", "limit": 1000000}',
        {"Content-Type": "application/json"},
    )
    assert answer.status == 200, answer.body
    return [bytes.fromhex(row[0]) for row in answer.json()["rows"]]


def ids_of(numbers: Iterable[int]) -> list[bytes]:
    """Return the ids of numbered spans, in order."""
    return sorted(span_id(number) for number in numbers)


def seeded(seed: int | str) -> random.Random:
    """Return random numbers that are the same in every run."""
    return random.Random(seed)  # noqa: S311 - damage and waiting times, not secrets
