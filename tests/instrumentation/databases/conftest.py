"""Spans and metrics of instrumentations that are turned on in the tests' own process, and taken back."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanglass.instrumentors import discovery
from spanglass.instrumentors.install import Installer
from spanglass.sdk.private.metrics import bound_readers
from spanglass.settings.settings import load


class Told:
    """What was told since it was last asked for."""

    def __init__(self):
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)
        bound_readers(self.meters, [self._reader])

    def spans(self):
        """Return the spans that ended."""
        ended = self._exporter.get_finished_spans()
        self._exporter.clear()
        return list(ended)

    def names(self):
        """Return the names of the spans that ended."""
        return [span.name for span in self.spans()]

    def points(self, name):
        """Return the data points of a metric."""
        data = self._reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture(scope="module")
def instrument():
    """Turn instrumentations on by name; gives what they tell. They are off again after the module's tests."""
    made = []

    def turn_on(*names):
        told = Told()
        installer = Installer(
            load({}, {}), tracer_provider=told.tracers, meter_provider=told.meters, logger_provider=None
        )
        made.append(installer)
        for entry in discovery.installed():
            if entry.name in names:
                installer.add(entry)
        return told

    yield turn_on
    for installer in reversed(made):
        installer.take_back()
