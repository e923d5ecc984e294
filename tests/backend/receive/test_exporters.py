from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from receivers import ONE_TOKEN, RecordingIngest, serving_grpc, serving_http

from spanglass_server.ingest.ports import Accepted, Form, IngestError, Refusal
from spanglass_server.receive.intake import Intake
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.ingest.budget import Reservation

AUTHORIZATION = {"authorization": "Bearer s3cret"}


class Exporters(NamedTuple):
    """Exporters of one transport, ready to send."""

    span: Any
    log: Any
    metric: Any


@pytest.fixture(params=[None, Compression.Gzip, Compression.Deflate], ids=["plain", "gzip", "deflate"])
def http_exporters(ingest, request) -> Iterator[Exporters]:
    with serving_http(Intake(ingest, authorize=ONE_TOKEN)) as port:
        base = f"http://127.0.0.1:{port}/v1"
        options = {"headers": AUTHORIZATION, "compression": request.param}
        yield Exporters(
            HttpSpanExporter(f"{base}/traces", **options),
            HttpLogExporter(f"{base}/logs", **options),
            HttpMetricExporter(f"{base}/metrics", **options),
        )


@pytest.fixture(params=[None, grpc.Compression.Gzip], ids=["plain", "gzip"])
def grpc_exporters(ingest, request) -> Iterator[Exporters]:
    with serving_grpc(Intake(ingest, authorize=ONE_TOKEN)) as (port, _receiver, _loop):
        options = {"insecure": True, "headers": AUTHORIZATION, "compression": request.param}
        endpoint = f"127.0.0.1:{port}"
        yield Exporters(
            GrpcSpanExporter(endpoint, **options),
            GrpcLogExporter(endpoint, **options),
            GrpcMetricExporter(endpoint, **options),
        )


def send_one_of_each(exporters: Exporters) -> None:
    """Make a span, a log record and a metric point with the SDK, and send them."""
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    tracer_provider.add_span_processor(SimpleSpanProcessor(exporters.span))
    tracer_provider.get_tracer("test").start_span("GET /basket").end()
    tracer_provider.shutdown()
    logger_provider = LoggerProvider(shutdown_on_exit=False)
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(exporters.log))
    logger_provider.get_logger("test").emit(body="hello")
    logger_provider.shutdown()
    reader = PeriodicExportingMetricReader(exporters.metric)
    meter_provider = MeterProvider([reader], shutdown_on_exit=False)
    meter_provider.get_meter("test").create_counter("orders").add(3)
    meter_provider.shutdown()


def names(ingest: RecordingIngest) -> list[tuple[Signal, str]]:
    """Return what arrived: the span's name, the record's body, the metric's name."""
    found = []
    for signal, request in ingest.requests:
        if signal is Signal.SPANS:
            found.append((signal, request.resource_spans[0].scope_spans[0].spans[0].name))
        elif signal is Signal.LOGS:
            found.append((signal, request.resource_logs[0].scope_logs[0].log_records[0].body.string_value))
        else:
            found.append((signal, request.resource_metrics[0].scope_metrics[0].metrics[0].name))
    return found


EXPECTED = [(Signal.SPANS, "GET /basket"), (Signal.LOGS, "hello"), (Signal.METRICS, "orders")]


def test_the_sdk_sends_over_http(http_exporters, ingest):
    """The official exporters deliver the three signals, with each compression they know and with the token."""
    send_one_of_each(http_exporters)
    assert names(ingest) == EXPECTED


def test_the_sdk_sends_over_grpc(grpc_exporters, ingest):
    """The official gRPC exporters deliver the three signals, with and without gzip and with the token."""
    send_one_of_each(grpc_exporters)
    assert names(ingest) == EXPECTED


class BusyOnce(RecordingIngest):
    """An ingest that is overloaded at the first request."""

    async def submit(self, signal: Signal, body: bytes, reservation: Reservation, form: Form = Form.OTLP) -> Accepted:
        """Refuse the first, keep the others."""
        if self.entered == 0:
            self.entered += 1
            raise IngestError(Refusal.OVERLOADED, "busy")
        return await super().submit(signal, body, reservation, form)


def send_a_span(exporter: Any) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("test").start_span("GET /basket").end()
    provider.shutdown()


def test_the_http_exporter_comes_back_after_overload():
    """429 with Retry-After: 2 makes the exporter wait and send again: nothing is lost."""
    ingest = BusyOnce()
    with serving_http(Intake(ingest)) as port:
        send_a_span(HttpSpanExporter(f"http://127.0.0.1:{port}/v1/traces"))
    assert names(ingest) == EXPECTED[:1]


def test_the_grpc_exporter_comes_back_after_overload():
    """UNAVAILABLE with RetryInfo makes the exporter wait and send again: nothing is lost."""
    ingest = BusyOnce()
    with serving_grpc(Intake(ingest)) as (port, _receiver, _loop):
        send_a_span(GrpcSpanExporter(f"127.0.0.1:{port}", insecure=True))
    assert names(ingest) == EXPECTED[:1]
