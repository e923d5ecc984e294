"""Real providers of the SDK under the manual API, with exporters in memory."""

from __future__ import annotations

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanglass import guard
from spanglass.api import metrics
from spanglass.sdk import published
from spanglass.sdk.providers import Providers


class Sent:
    """What the application sent so far."""

    def __init__(self):
        self._spans, self._logs, self._metrics = (
            InMemorySpanExporter(),
            InMemoryLogRecordExporter(),
            InMemoryMetricReader(),
        )
        self.providers = Providers(TracerProvider(), MeterProvider([self._metrics]), LoggerProvider())
        self.providers.tracer.add_span_processor(SimpleSpanProcessor(self._spans))
        self.providers.logger.add_log_record_processor(SimpleLogRecordProcessor(self._logs))

    @property
    def spans(self):
        """Finished spans, the first that ended first."""
        return list(self._spans.get_finished_spans())

    @property
    def span(self):
        """The only finished span."""
        (only,) = self.spans
        return only

    @property
    def logs(self):
        """Log records, as the API made them."""
        return [each.log_record for each in self._logs.get_finished_logs()]

    @property
    def log(self):
        """The only log record."""
        (only,) = self.logs
        return only

    @property
    def metrics(self):
        """Collected metrics by name."""
        data = self._metrics.get_metrics_data()
        if data is None:
            return {}
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, name):
        """Attributes and value of each point of a metric; of a histogram its count and sum."""
        return [
            (dict(point.attributes), point.value if hasattr(point, "value") else (point.count, point.sum))
            for point in self.metrics[name].data.data_points
        ]


@pytest.fixture
def sent():
    """Providers of this test alone, set as the process's."""
    made = Sent()
    published.publish(made.providers)
    yield made
    published.take_back(made.providers)
    made.providers.tracer.shutdown()
    made.providers.meter.shutdown()
    made.providers.logger.shutdown()


@pytest.fixture(autouse=True)
def defined_metrics(monkeypatch):
    """Metrics of this test alone."""
    monkeypatch.setattr(metrics, "_registry", metrics._Registry())


@pytest.fixture
def failures(monkeypatch):
    """What was reported since the test began: what was being done, and how often that failed."""
    monkeypatch.setattr(guard, "_seen", set())
    guard.failures.clear()
    return guard.failures
