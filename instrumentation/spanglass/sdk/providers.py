"""The three providers of the SDK; OpenTelemetry's variables fill in what no setting of ours says."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import DropAggregation, View
from opentelemetry.sdk.trace import TracerProvider

from spanglass.sdk.limits import log_limits, span_limits
from spanglass.sdk.private.light_tracer import LightTracerProvider
from spanglass.sdk.private.metrics import bound_readers, silence
from spanglass.sdk.private.spans import by_name
from spanglass.sdk.unused import UnrecordedTracerProvider
from spanglass.settings.components import usable_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

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

_SAMPLER, _ID_GENERATOR = "OTEL_TRACES_SAMPLER", "OTEL_PYTHON_ID_GENERATOR"

_logger = logging.getLogger("spanglass")


Provider = TracerProvider | MeterProvider | LoggerProvider


class Providers(NamedTuple):
    """The SDK's providers of one configuration: for traces, metrics and logs."""

    tracer: TracerProvider
    meter: MeterProvider
    logger: LoggerProvider


class Chosen(NamedTuple):
    """What OTEL_{TRACES,METRICS,LOGS}_EXPORTER name besides OTLP, and whether they name OTLP; unset means just OTLP."""

    otlp: bool
    others: tuple[str, ...]


def chosen_exporters(signal: str) -> Chosen:
    """Read OTEL_<SIGNAL>_EXPORTER: names with commas between them, or ``none``. What is not there is left out."""
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    if os.environ.get(variable, "").strip().lower() == "none":
        return Chosen(otlp=False, others=())
    names = usable_names(os.environ, variable) or [OTLP]
    return Chosen(OTLP in names, tuple(name for name in names if name != OTLP))


def other_exporters(
    traces: tuple[str, ...], metrics: tuple[str, ...], logs: tuple[str, ...]
) -> tuple[list[SpanExporter], list[MetricExporter | MetricReader], list[LogRecordExporter]]:
    """Make the exporters that OpenTelemetry's variables name: console, otlp_json_file, and whatever is installed."""
    made: list[list[Any]] = [[], [], []]
    for at, (signal, names) in enumerate(zip(("TRACES", "METRICS", "LOGS"), (traces, metrics, logs), strict=True)):
        for name in names:
            asked: list[tuple[str, ...]] = [(), (), ()]
            asked[at] = (name,)
            made[at] += _made(f"OTEL_{signal}_EXPORTER", name, partial(_exporters, asked)) or ()
    return made[0], made[1], made[2]


def _exporters(asked: Sequence[tuple[str, ...]]) -> list[Any]:
    return [make() for group in by_name("exporters", *asked) or () for make in group.values()]


def _made(variable: str, name: str, make: Callable[[], Any]) -> Any:
    """Make what a variable of OpenTelemetry names, by OpenTelemetry's own functions; None, and a line, if not."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever a stranger's constructor does
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        _logger.warning("%s=%s can't be used, telemetry goes on without it: %s", variable, name, reason)
        return None


def id_generator() -> IdGenerator | None:
    """Make the generator that OTEL_PYTHON_ID_GENERATOR names; None: the SDK's own."""
    names = usable_names(os.environ, _ID_GENERATOR)
    if names in ([], ["random"]):
        return None
    made: IdGenerator | None = _made(_ID_GENERATOR, names[0], partial(by_name, "id_generator", names[0]))
    return made


def stated_sampler() -> Sampler | None:
    """Make the sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name; None: nobody named one."""
    names = usable_names(os.environ, _SAMPLER)
    if not names:
        return None
    made: Sampler | None = _made(_SAMPLER, names[0], partial(by_name, "sampler", names[0]))
    return made


def make_providers(
    resource: Resource,
    *,
    sampler: Sampler | None,
    ids: IdGenerator | None,
    readers: Sequence[MetricReader],
    unused: Collection[str] = (),
) -> Providers:
    """Make the providers, without processors; whoever makes them also ends them. ``unused`` names signals."""
    told_by_ours = [
        View(meter_name=meter, instrument_name=name, aggregation=DropAggregation())
        for meter, name in _TOLD_BY_OURS.items()
    ]
    meter = MeterProvider(readers, resource, shutdown_on_exit=False, views=told_by_ours)
    bound_readers(meter, readers)
    tracer = (UnrecordedTracerProvider if "traces" in unused else LightTracerProvider)(
        sampler, resource, shutdown_on_exit=False, span_limits=span_limits(), id_generator=ids, meter_provider=meter
    )
    logger = LoggerProvider(resource, shutdown_on_exit=False, log_record_limits=log_limits(), meter_provider=meter)
    for signal, provider in (("metrics", meter), ("logs", logger)):
        if signal in unused:
            silence(provider)
    return Providers(tracer, meter, logger)
