"""The three providers of the SDK; OpenTelemetry's variables fill in what no setting of ours says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import DropAggregation, View
from opentelemetry.sdk.trace import TracerProvider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.sdk.trace.sampling import Sampler

#: Metrics of instrumentations that say, by old names, what ours say by the conventions' current ones; by meter.
_TOLD_BY_OURS = {
    "opentelemetry.instrumentation.sqlalchemy": "db.client.connections.usage",
    "opentelemetry.instrumentation.celery": "flower.task.runtime.seconds",
}

#: The name under which OTEL_*_EXPORTER mean our own delivery.
OTLP = "otlp"


@dataclass(frozen=True, slots=True)
class Providers:
    """The SDK's providers of one configuration."""

    tracer: TracerProvider
    meter: MeterProvider
    logger: LoggerProvider

    @property
    def all(self) -> tuple[TracerProvider, MeterProvider, LoggerProvider]:
        """For traces, metrics and logs, in this order."""
        return self.tracer, self.meter, self.logger


@dataclass(frozen=True, slots=True)
class Chosen:
    """What OTEL_{TRACES,METRICS,LOGS}_EXPORTER name besides OTLP, and whether they name OTLP; unset means just OTLP."""

    otlp: bool
    others: tuple[str, ...]


def chosen_exporters(signal: str) -> Chosen:
    """Read OTEL_<SIGNAL>_EXPORTER: names with commas between them, or ``none``."""
    text = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() or OTLP
    names = [] if text.lower() == "none" else [name.strip() for name in text.split(",") if name.strip()]
    return Chosen(OTLP in names, tuple(name for name in names if name != OTLP))


def other_exporters(
    traces: tuple[str, ...], metrics: tuple[str, ...], logs: tuple[str, ...]
) -> tuple[list[SpanExporter], list[MetricExporter | MetricReader], list[LogRecordExporter]]:
    """Make the exporters that OpenTelemetry's variables name: console, otlp_json_file, and whatever is installed."""
    if not (traces or metrics or logs):
        return [], [], []
    from opentelemetry.sdk import _configuration as upstream  # noqa: PLC0415 - 20 ms that few need

    found = upstream._import_exporters(traces, metrics, logs)  # noqa: SLF001 - what distributions are meant to use
    return tuple([made() for made in group.values()] for group in found)  # type: ignore[return-value]


def id_generator() -> IdGenerator | None:
    """Make the generator that OTEL_PYTHON_ID_GENERATOR names; None: the SDK's own."""
    name = os.environ.get("OTEL_PYTHON_ID_GENERATOR", "").strip()
    if name in {"", "random"}:
        return None
    from opentelemetry.sdk import _configuration as upstream  # noqa: PLC0415 - as above

    return upstream._import_id_generator(name)  # noqa: SLF001


def stated_sampler() -> Sampler | None:
    """Make the sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name; None: nobody named one."""
    name = os.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if not name:
        return None
    from opentelemetry.sdk import _configuration as upstream  # noqa: PLC0415 - as above

    return upstream._import_sampler(name)  # noqa: SLF001


def make_providers(
    resource: Resource, *, sampler: Sampler | None, ids: IdGenerator | None, readers: Sequence[MetricReader]
) -> Providers:
    """Make the providers, without processors; whoever makes them also ends them."""
    told_by_ours = [
        View(meter_name=meter, instrument_name=name, aggregation=DropAggregation())
        for meter, name in _TOLD_BY_OURS.items()
    ]
    meter = MeterProvider(readers, resource, shutdown_on_exit=False, views=told_by_ours)
    tracer = TracerProvider(sampler, resource, shutdown_on_exit=False, id_generator=ids, meter_provider=meter)
    logger = LoggerProvider(resource, shutdown_on_exit=False, meter_provider=meter)
    return Providers(tracer, meter, logger)
