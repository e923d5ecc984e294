"""Plain OpenTelemetry for one service: the official SDK, its OTLP/HTTP exporter, and the instrumentations.

Where to send, how often, and which semantic conventions come from the standard OTEL_* variables, which the
supervisor sets. Nothing here knows Spanglass; `telemetry.py` is what the other services do instead.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from opentelemetry import _logs, metrics, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.instrumentation.system_metrics import SystemMetricsInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import ProcessResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if TYPE_CHECKING:
    from shop import layout

PROCESS_METRICS: dict[str, list[str] | None] = {
    "process.cpu.time": ["user", "system"],
    "process.cpu.utilization": ["user", "system"],
    "process.memory.usage": None,
    "process.memory.virtual": None,
    "process.open_file_descriptor.count": None,
    "process.thread.count": None,
    "process.context_switches": ["involuntary", "voluntary"],
    "process.runtime.memory": ["rss", "vms"],
    "cpython.gc.collections": None,
    "cpython.gc.collected_objects": None,
}


def set_up(service: layout.Service) -> None:
    """Send traces, metrics and logs of this process. Call once, before the app is made.

    What is still waiting is sent when the interpreter ends (the SDK registers that itself).
    """
    resource = _resource(service)
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(
        MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])
    )
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    _logs.set_logger_provider(loggers)
    _instrument()


def _resource(service: layout.Service) -> Resource:
    detected = ProcessResourceDetector().detect()
    own = Resource.create(
        {
            "service.name": service.name,
            "service.namespace": "shop",
            "service.version": service.release,
            "service.instance.id": f"{service.name}-{os.getpid()}",
            "deployment.environment.name": "demo",
            "host.name": socket.gethostname(),
        }
    )
    return detected.merge(own)


def _instrument() -> None:
    for instrumentor in (
        LoggingInstrumentor(),
        RequestsInstrumentor(),
        SQLite3Instrumentor(),
        SystemMetricsInstrumentor(config=PROCESS_METRICS),
    ):
        instrumentor.instrument()
