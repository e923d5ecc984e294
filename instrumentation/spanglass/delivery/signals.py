"""The three signals, and how OTLP calls what belongs to each: one row a signal."""

from __future__ import annotations

from typing import NamedTuple


class Signal(NamedTuple):
    """One signal of OTLP. ``component`` and ``exported`` are names of the conventions' ``otel.sdk.*`` metrics."""

    name: str
    noun: str
    path: str  # of HTTP
    service: str  # of gRPC
    component: str  # otel.component.type, with a place for the transport
    exported: str
    processor_component: str  # its otel.component.type; empty where there is none
    processed: str  # by a batching processor
    queue_size: str
    queue_capacity: str

    @property
    def nouns(self) -> str:
        """What is sent, in the plural."""
        return f"{self.noun}s"


def _signal(name: str, noun: str, service: str, word: str, *, queued: bool) -> Signal:
    processor = f"otel.sdk.processor.{word}"
    return Signal(
        name=name,
        noun=noun,
        path=f"v1/{name}",
        service=f"opentelemetry.proto.collector.{service}",
        component=f"otlp_{{}}_{word.partition('_')[0]}_exporter",
        exported=f"otel.sdk.exporter.{word}.exported",
        processor_component=f"batching_{word}_processor" if queued else "",
        processed=f"{processor}.processed" if queued else "",
        queue_size=f"{processor}.queue.size" if queued else "",
        queue_capacity=f"{processor}.queue.capacity" if queued else "",
    )


TRACES = _signal("traces", "span", "trace.v1.TraceService", "span", queued=True)
METRICS = _signal("metrics", "data point", "metrics.v1.MetricsService", "metric_data_point", queued=False)
LOGS = _signal("logs", "log record", "logs.v1.LogsService", "log", queued=True)

SIGNALS = {signal.name: signal for signal in (TRACES, METRICS, LOGS)}
