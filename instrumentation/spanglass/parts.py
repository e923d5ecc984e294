"""One configuration: its providers, what feeds them, what sends from them, and how each part is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.auto_instrumentation._load import _load_instrumentors
from opentelemetry.instrumentation.distro import DefaultDistro
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from spanglass import forking
from spanglass import globals as api_globals
from spanglass.guard import guarded
from spanglass.providers import id_generator, make_providers, stated_sampler
from spanglass.resource import make_resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass.settings import Settings


class Parts:
    """What ``start`` puts together. Made once a configuration; ``begin`` and ``end`` are called once each."""

    def __init__(self, settings: Settings, more_resource: Mapping[str, str]) -> None:
        self.settings = settings
        base = settings.endpoint.rstrip("/")
        readers = [
            PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics"), settings.metric_interval_ns / 1e6)
        ]
        self.providers = make_providers(
            make_resource(settings, more_resource), sampler=stated_sampler(), ids=id_generator(), readers=readers
        )
        self.providers.tracer.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces")))
        self.providers.logger.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{base}/v1/logs")))
        self._undo: list[Callable[[], None]] = []

    def begin(self, *, instrument: bool) -> None:
        """Publish the providers and install every part; a part that fails is left out and reported."""
        api_globals.publish(self.providers)
        self._undo.append(lambda: api_globals.take_back(self.providers))
        self._undo.append(forking.in_child(lambda: forking.renew(self.providers)))
        if instrument:
            with guarded("instrument libraries"):
                _load_instrumentors(DefaultDistro())  # type: ignore[no-untyped-call]

    def flush(self) -> bool:
        """Send what waits, for as long as the settings allow."""
        ms = self.settings.flush_timeout_ns // 1_000_000
        done = [each.force_flush(ms) for each in self.providers.all]  # all of them, whatever the first one says
        return all(done)

    def end(self) -> None:
        """Send what waits and take everything back, the last first."""
        for each in self.providers.all:
            each.shutdown()
        while self._undo:
            with guarded("take a part back"):
                self._undo.pop()()
