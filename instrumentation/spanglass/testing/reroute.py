"""Turn the SDK's providers from where they send to recorders in memory, and back.

Tracers and loggers that the application has already taken are turned too: they hold the processor themselves, so it is
replaced on each of them. The SDK (1.45) has no public way; ``tests/instrumentation/testing`` fails when that changes.
"""

# ruff: noqa: SLF001 - see above

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.metrics._internal.metric_reader_storage import MetricReaderStorage
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from spanglass.testing.recorder import RecordingLogProcessor, RecordingSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    from spanglass.testing.recorder import Recorder


def reroute_spans(provider: TracerProvider, recorders: Sequence[Recorder], ids: IdGenerator) -> Callable[[], None]:
    """Record every span that begins from now on; returns what takes that back. Spans already open go their old way."""
    processor = RecordingSpanProcessor(recorders, list(_enrichers(provider._active_span_processor, SpanProcessor)))
    before = provider._active_span_processor, provider.sampler, provider.id_generator
    _turn_tracers(provider, (processor, ALWAYS_ON, ids))
    return lambda: _turn_tracers(provider, before)


def _turn_tracers(provider: TracerProvider, to: tuple[Any, Any, Any]) -> None:
    provider._active_span_processor, provider.sampler, provider.id_generator = to
    with provider._tracers_lock:
        for tracer in provider._tracers.values():
            tracer.span_processor, tracer.sampler, tracer.id_generator = to


def reroute_logs(provider: LoggerProvider, recorders: Sequence[Recorder]) -> Callable[[], None]:
    """Record every log record from now on; returns what takes that back."""
    before = provider._multi_log_record_processor
    _turn_loggers(provider, RecordingLogProcessor(recorders, list(_enrichers(before, LogRecordProcessor))))
    return lambda: _turn_loggers(provider, before)


def _turn_loggers(provider: LoggerProvider, processor: Any) -> None:
    provider._multi_log_record_processor = processor
    with provider._active_loggers_lock:
        for logger in list(provider._active_loggers):
            logger._multi_log_record_processor = processor


def reroute_metrics(provider: MeterProvider, recorder: Recorder) -> Callable[[], None]:
    """Measure for this recorder from zero, and for nobody else; returns what takes that back."""
    consumer = provider._measurement_consumer
    reader = InMemoryMetricReader()
    reader._set_collect_callback(consumer.collect)  # type: ignore[arg-type] # its annotation names another parameter
    storage = MetricReaderStorage(
        consumer._sdk_config,
        reader._instrument_class_temporality,  # type: ignore[arg-type]
        reader._instrument_class_aggregation,  # type: ignore[arg-type]
    )
    before = consumer._reader_storages
    outer = before if isinstance(before, _Captured) else _Captured(before)
    consumer._reader_storages = _Captured(outer.hidden, {**outer, reader: storage})

    recorder.collect = reader.get_metrics_data

    def back() -> None:
        recorder.collect = storage.collect  # without asking observable instruments: psutil's alone take 10 ms
        now = consumer._reader_storages
        left = {each: kept for each, kept in now.items() if each is not reader}
        hidden = now.hidden if isinstance(now, _Captured) else {}
        consumer._reader_storages = _Captured(hidden, left) if left else hidden

    return back


class _Captured(dict[MetricReader, MetricReaderStorage]):
    """The storages that measurements go to; an exporting reader still finds its own, as it was before the block."""

    def __init__(
        self,
        hidden: Any,
        shown: dict[MetricReader, MetricReaderStorage] | None = None,
    ) -> None:
        super().__init__(shown or {})
        self.hidden = hidden

    def __missing__(self, reader: MetricReader) -> MetricReaderStorage:
        found: MetricReaderStorage = self.hidden[reader]
        return found


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
