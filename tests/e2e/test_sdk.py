"""Official OpenTelemetry exporters send, and the API finds what they sent."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if TYPE_CHECKING:
    from loadgen.server import ServerProcess


def resource(make: object) -> Resource:
    """Return the resource of a protocol's tests: all share a server, so each has a service of its own."""
    return Resource.create({"service.name": f"checkout-{make.__name__}"})


def http(server: ServerProcess, exporter: type, path: str) -> object:
    """Make an exporter over HTTP with gzip."""
    from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: PLC0415 - beside its one use

    return exporter(endpoint=f"{server.url}/v1/{path}", compression=Compression.Gzip)


def grpc(server: ServerProcess, exporter: type, _path: str) -> object:
    """Make an exporter over gRPC."""
    return exporter(endpoint=f"127.0.0.1:{server.grpc_port}", insecure=True)


PROTOCOLS = pytest.mark.parametrize(
    ("make", "spans", "logs", "metrics"),
    [
        pytest.param(http, HttpSpans, HttpLogs, HttpMetrics, id="http"),
        pytest.param(grpc, GrpcSpans, GrpcLogs, GrpcMetrics, id="grpc"),
    ],
)


@PROTOCOLS
def test_spans_of_the_sdk_are_found(shared_server, make, spans, logs, metrics):  # noqa: ARG001 - one table of exporters
    """A trace is found by its id as soon as the exporter's flush returns, with its tree, attributes and status."""
    provider = TracerProvider(resource=resource(make))
    provider.add_span_processor(BatchSpanProcessor(make(shared_server, spans, "traces")))
    tracer = provider.get_tracer("shop", "1.0")
    with tracer.start_as_current_span("POST /checkout") as root, tracer.start_as_current_span("charge") as child:
        child.set_attribute("app.amount", 12.5)
        child.set_attribute("app.tags", ["a", "b"])
    provider.shutdown()

    trace = shared_server.get(f"/traces/{root.get_span_context().trace_id:032x}")

    rows = [(span["name"], span["depth"], span["service"], span["attributes"]) for span in trace["spans"]]
    service = f"checkout-{make.__name__}"
    assert rows == [
        ("POST /checkout", 0, service, {}),
        ("charge", 1, service, {"app.amount": 12.5, "app.tags": ["a", "b"]}),
    ]
    assert [span["scope"]["name"] for span in trace["spans"]] == ["shop", "shop"]


@PROTOCOLS
def test_logs_of_the_sdk_are_found(shared_server, make, spans, logs, metrics):  # noqa: ARG001 - one table of exporters
    """A record of the standard library's logging is found with its severity, body and attributes."""
    provider = LoggerProvider(resource=resource(make))
    provider.add_log_record_processor(BatchLogRecordProcessor(make(shared_server, logs, "logs")))
    logger = logging.getLogger(f"shop.{make.__name__}")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    logger.warning("card declined for order %d", 7, extra={"order.id": 7})
    provider.shutdown()

    found = shared_server.get("/logs", filter=f"order.id = 7 and service:checkout-{make.__name__}")["logs"]

    rows = [
        (record["severity"], record["body"], record["service"], record["attributes"]["order.id"]) for record in found
    ]
    assert rows == [("warn", "card declined for order 7", f"checkout-{make.__name__}", 7)]


@PROTOCOLS
def test_metrics_of_the_sdk_are_found(shared_server, make, spans, logs, metrics):  # noqa: ARG001 - one table of exporters
    """A counter and a histogram are listed with type, unit and description, and the counter's value can be read."""
    reader = PeriodicExportingMetricReader(make(shared_server, metrics, "metrics"), export_interval_millis=3_600_000)
    provider = MeterProvider([reader], resource=resource(make))
    meter = provider.get_meter("shop")
    meter.create_counter("orders", unit="{order}", description="Orders placed").add(3, {"channel": "web"})
    meter.create_histogram("checkout.duration", unit="s").record(0.25)
    provider.shutdown()

    listed = shared_server.get("/metrics", service=f"checkout-{make.__name__}")["metrics"]
    series = shared_server.get("/metrics/series", name="orders", filter=f"service:checkout-{make.__name__}")["series"]

    rows = sorted((row["name"], row["type"], row["unit"], row["description"]) for row in listed)
    assert rows == [("checkout.duration", "histogram", "s", ""), ("orders", "sum", "{order}", "Orders placed")]
    assert [(row["attributes"], row["last_value"]) for row in series] == [({"channel": "web"}, 3)]


def test_what_was_acknowledged_is_visible_at_once(shared_server):
    """Each of 50 spans is found by its id in the first query after its export returned."""
    exporter = http(shared_server, HttpSpans, "traces")
    provider = TracerProvider(resource=resource(http))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop")
    found = []
    for number in range(50):
        span = tracer.start_span(f"span {number}", start_time=time.time_ns())
        span.end()
        provider.force_flush()
        trace = shared_server.get(f"/traces/{span.get_span_context().trace_id:032x}")
        found.append([row["name"] for row in trace["spans"]])
    provider.shutdown()

    assert found == [[f"span {number}"] for number in range(50)]
