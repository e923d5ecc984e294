"""What stands between the SDK's providers and the server, by the settings: processors, readers, exporters."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from spanglass.clock import NS_PER_MS
from spanglass.delivery.closing import Closing
from spanglass.delivery.console import may_print
from spanglass.delivery.count_metrics import observe
from spanglass.delivery.counts import DeliveryCounts
from spanglass.delivery.exporters import make_exporters
from spanglass.delivery.processors import LogBatcher, SpanBatcher
from spanglass.scrubbing.exporters import ScrubbingLogExporter, ScrubbingSpanExporter
from spanglass.sdk.providers import chosen_exporters, other_exporters
from spanglass.sdk.published import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk._logs import LogRecordProcessor
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

    from spanglass.scrubbing.scrubber import Scrubber
    from spanglass.settings.settings import Settings


class Pipelines:
    """The sending side of one configuration. Nothing is connected before there is something to send.

    ``spans``, ``logs`` and ``readers`` are to be added to the providers. Raises ``SettingsError`` as
    ``make_exporters`` and ``other_exporters`` do.
    """

    def __init__(self, settings: Settings, scrubber: Scrubber | None) -> None:
        others = other_exporters(*(chosen_exporters(signal).others for signal in ("traces", "metrics", "logs")))
        self.counts = DeliveryCounts()
        self.closing = Closing()
        self.exporters = make_exporters(settings, self.counts, self.closing)
        self.spans: list[SpanProcessor] = []
        self.logs: list[LogRecordProcessor] = []
        self.readers: list[MetricReader] = []
        self._settings = settings
        self._scrubber = scrubber
        self._queues: dict[str, SpanBatcher | LogBatcher] = {}
        self._add_delivery()
        self._add_others(*others)
        self._add_console()

    def observe(self, meter_provider: MeterProvider) -> Callable[[], None]:
        """Have what was sent and dropped counted among the metrics; returns what ends that."""
        queues = {signal: batcher.queue for signal, batcher in self._queues.items()}
        return observe(meter_provider.get_meter(SCOPE), self.counts, self.exporters, queues)

    def _add_delivery(self) -> None:
        settings, exporters = self._settings, self.exporters
        timeout_ns, rescue = settings.flush_timeout_ns, settings.spool_dir is not None
        if settings.traces and chosen_exporters("traces").otlp:
            made = self._scrubbed_spans(exporters.spans)
            spans = SpanBatcher(
                made, self.counts, self.closing, capacity=settings.max_queue_spans, timeout_ns=timeout_ns, rescue=rescue
            )
            self._queues["traces"] = spans
            self.spans.append(self._tail_sampled(spans))
        if settings.logs and chosen_exporters("logs").otlp:
            taken = self._scrubbed_logs(exporters.logs)
            logs = LogBatcher(
                taken, self.counts, self.closing, capacity=settings.max_queue_logs, timeout_ns=timeout_ns, rescue=rescue
            )
            self._queues["logs"] = logs
            self.logs.append(logs)
        if settings.metrics and chosen_exporters("metrics").otlp:
            self.readers.append(self._reader(exporters.metrics))

    def _tail_sampled(self, spans: SpanBatcher) -> SpanProcessor:
        """Hold spans back until their trace is decided, if the setting says so."""
        settings = self._settings
        if not settings.tail_sampling:
            return spans
        from spanglass.sampling.tail import TailErrorLogProcessor, TailSamplingProcessor  # noqa: PLC0415 - 4 ms for few

        tail = TailSamplingProcessor(
            spans,
            keep_ratio=settings.tail_keep_ratio,
            slow_ns=settings.tail_slow_ns,
            max_spans=settings.tail_max_spans,
        )
        self.logs.append(TailErrorLogProcessor(tail))
        return tail

    def _add_others(
        self, spans: list[SpanExporter], metrics: list[MetricExporter | MetricReader], logs: list[LogRecordExporter]
    ) -> None:
        """Add what OpenTelemetry's variables name besides OTLP, with the SDK's own queues."""
        self.spans += [BatchSpanProcessor(self._scrubbed_spans(each)) for each in spans]
        self.logs += [BatchLogRecordProcessor(self._scrubbed_logs(each)) for each in logs]
        self.readers += [each if isinstance(each, MetricReader) else self._reader(each) for each in metrics]

    def _add_console(self) -> None:
        if not may_print(self._settings, sys.stderr):
            return
        from spanglass.delivery.console.console import ConsoleLogs, ConsoleSpans, make_console  # noqa: PLC0415 - 7 ms for few

        console = make_console(self._settings, sys.stderr, self.closing)
        if console is not None:
            self.spans.append(ConsoleSpans(console))
            self.logs.append(ConsoleLogs(console))

    def _reader(self, exporter: MetricExporter) -> MetricReader:
        return PeriodicExportingMetricReader(exporter, self._settings.metric_interval_ns / NS_PER_MS)

    def _scrubbed_spans(self, exporter: SpanExporter) -> SpanExporter:
        return exporter if self._scrubber is None else ScrubbingSpanExporter(exporter, self._scrubber)

    def _scrubbed_logs(self, exporter: LogRecordExporter) -> LogRecordExporter:
        return exporter if self._scrubber is None else ScrubbingLogExporter(exporter, self._scrubber)
