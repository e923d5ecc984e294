"""One framework instrumented in this process, with all that is told of its requests in memory."""

from __future__ import annotations

import itertools

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from starlette.background import BackgroundTask

from spanglass.exceptions.capture import new_capture
from spanglass.exceptions.install import install_exceptions
from spanglass.instrumentors.web import turn_on
from spanglass.logs.install import install_logging
from spanglass.settings.table import Settings


class Told:
    """What was told of requests so far, and the tracer of the application."""

    def __init__(self, frameworks, *, message_spans=False):
        self._spans, self._logs, self._reader = (
            InMemorySpanExporter(),
            InMemoryLogRecordExporter(),
            InMemoryMetricReader(),
        )
        tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
        meters = MeterProvider([self._reader], shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracers = tracers
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.tracer, ids, settings = tracers.get_tracer("shop"), itertools.count(1), Settings()
        capture = new_capture(settings, logger_provider=loggers, ids=lambda: f"id{next(ids)}", stopwatch=lambda: 1)
        self._undo = [
            install_exceptions(settings, capture),
            install_logging(settings, logger_provider=loggers, capture=capture),
            *(
                turn_on(name, "1", tracer_provider=tracers, meter_provider=meters, message_spans=message_spans)
                for name in frameworks
            ),
        ]

    def undo(self):
        """Take everything back."""
        while self._undo:
            self._undo.pop()()

    @property
    def spans(self):
        """Finished spans, in the order of their ends."""
        return list(self._spans.get_finished_spans())

    @property
    def server(self):
        """The one server span."""
        (found,) = [span for span in self.spans if span.kind is SpanKind.SERVER]
        return found

    @property
    def logs(self):
        """Log records."""
        return [each.log_record for each in self._logs.get_finished_logs()]

    @property
    def errors(self):
        """Exceptions that log records tell: severity, type, whether it is the server span's trace."""
        trace_id = self.server.context.trace_id
        return [
            (each.severity_text, each.attributes["exception.type"], each.trace_id == trace_id)
            for each in self.logs
            if "exception.type" in (each.attributes or {})
        ]

    @property
    def events(self):
        """Types of the exceptions on the server span."""
        return [event.attributes["exception.type"] for event in self.server.events]

    def metric(self, name):
        """Return the points of one metric."""
        found = self._reader.get_metrics_data()
        metrics = [m for r in found.resource_metrics for s in r.scope_metrics for m in s.metrics] if found else []
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]

    @property
    def outcome(self):
        """Name, status and HTTP status of the server span."""
        span = self.server
        return span.name, span.status.status_code.name, span.attributes.get("http.response.status_code")


@pytest.fixture
def instrument(monkeypatch):
    """Instrument frameworks for one test, by the names of their instrumentations."""
    made = []
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    if original := getattr(BackgroundTask, "_otel_original_call", None):  # left by OpenTelemetry's, in another test
        monkeypatch.setattr(BackgroundTask, "__call__", original)
        monkeypatch.delattr(BackgroundTask, "_otel_original_call")

    def make(*frameworks, **options):
        made.append(Told(frameworks, **options))
        return made[-1]

    yield make
    for each in made:
        each.undo()
