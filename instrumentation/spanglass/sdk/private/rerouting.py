"""For the test kit: turn the SDK's providers from where they send to recorders in memory, and back.

Tracers and loggers that the application has already taken are turned too: they hold the processor themselves, so it is
replaced on each of them. Where a name is gone, what depends on it is not recorded.
"""

# ruff: noqa: SLF001 - as all of this folder

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - a NamedTuple's field
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader, MetricsData
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from spanglass.sdk.private.features import TEST_KIT, optional
from spanglass.sdk.private.metrics import BoundedStorage, new_storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace.id_generator import IdGenerator


def reroute_spans(
    provider: TracerProvider, recording: Callable[[list[SpanProcessor]], SpanProcessor], ids: IdGenerator
) -> Callable[[], None]:
    """Record every span that begins from now on; returns what takes that back. Spans already open go their old way.

    ``recording`` makes the processor, of those that only add attributes.
    """
    with optional(TEST_KIT):
        before = provider._active_span_processor, provider.sampler, provider.id_generator
        processor = recording(list(_enrichers(before[0], SpanProcessor)))
        _turn_tracers(provider, (processor, ALWAYS_ON, ids))
        return lambda: _turn_tracers(provider, before)
    return lambda: None


def _turn_tracers(provider: TracerProvider, to: tuple[Any, Any, Any]) -> None:
    provider._active_span_processor, provider.sampler, provider.id_generator = to
    with optional(TEST_KIT), provider._tracers_lock:
        for tracer in provider._tracers.values():
            tracer.span_processor, tracer.sampler, tracer.id_generator = to


def span_processor_of(provider: TracerProvider) -> Any:
    """Return the processor of all that a provider has; None if the SDK does not tell."""
    with optional(TEST_KIT):
        return provider._active_span_processor
    return None


def reroute_logs(
    provider: LoggerProvider, recording: Callable[[list[LogRecordProcessor]], LogRecordProcessor]
) -> Callable[[], None]:
    """Record every log record from now on; returns what takes that back."""
    with optional(TEST_KIT):
        before = provider._multi_log_record_processor
        _turn_loggers(provider, recording(list(_enrichers(before, LogRecordProcessor))))
        return lambda: _turn_loggers(provider, before)
    return lambda: None


def _turn_loggers(provider: LoggerProvider, processor: Any) -> None:
    provider._multi_log_record_processor = processor
    with optional(TEST_KIT), provider._active_loggers_lock:
        for logger in list(provider._active_loggers):
            logger._multi_log_record_processor = processor


class Measured(NamedTuple):
    """What collects the metrics of a block while it is open, and what ends it and gives what collects afterwards."""

    collect: Callable[[], MetricsData | None]
    end: Callable[[], Callable[[], MetricsData | None]]


def reroute_metrics(provider: MeterProvider) -> Measured:
    """Measure from zero, and for nobody else."""
    with optional(TEST_KIT):
        return _reroute_metrics(provider)
    return Measured(lambda: None, lambda: lambda: None)


def _reroute_metrics(provider: MeterProvider) -> Measured:
    consumer = provider._measurement_consumer
    reader = InMemoryMetricReader()
    reader._set_collect_callback(consumer.collect)  # type: ignore[arg-type] # its annotation names another parameter
    storage = new_storage(provider, reader, BoundedStorage)
    before = consumer._reader_storages
    outer = before if isinstance(before, _Captured) else _Captured(before)
    consumer._reader_storages = _Captured(outer.hidden, {**outer, reader: storage})

    def end() -> Callable[[], MetricsData | None]:
        now = consumer._reader_storages
        left = {each: kept for each, kept in now.items() if each is not reader}
        hidden = now.hidden if isinstance(now, _Captured) else {}
        consumer._reader_storages = _Captured(hidden, left) if left else hidden
        return storage.collect  # without asking observable instruments: psutil's alone take 10 ms

    return Measured(reader.get_metrics_data, end)


class _Captured(dict[MetricReader, Any]):
    """The storages that measurements go to; an exporting reader still finds its own, as it was before the block."""

    def __init__(
        self,
        hidden: Any,
        shown: dict[MetricReader, Any] | None = None,
    ) -> None:
        super().__init__(shown or {})
        self.hidden = hidden

    def __missing__(self, reader: MetricReader) -> Any:
        return self.hidden[reader]


def _enrichers(processor: Any, base: type) -> Iterator[Any]:
    """Return the processors that only add attributes: they say ``enriches = True``, or do nothing at a span's end."""
    inner = next((getattr(processor, name) for name in _INNER if hasattr(processor, name)), None)
    if inner is not None:
        for each in inner:
            yield from _enrichers(each, base)
    elif getattr(processor, "enriches", False) or (
        base is SpanProcessor and type(processor).on_end is SpanProcessor.on_end
    ):
        yield processor


# Where the SDK's processors of several processors keep them.
_INNER = ("_span_processors", "_log_record_processors")
