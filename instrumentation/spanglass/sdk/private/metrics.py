"""Private parts of meter providers and their readers."""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from spanglass.sdk.private.bounds import by_unit
from spanglass.sdk.private.features import BOUNDS, FORKS, GREEN, REMOVAL, SILENCE, lose, optional

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics._internal._view_instrument_match import _ViewInstrumentMatch
    from opentelemetry.sdk.metrics._internal.measurement import Measurement
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource

    from spanglass.sdk.providers import Providers

_OVERFLOW = {"otel.metric.overflow": True}

_has_storage = False
with optional(BOUNDS):
    from opentelemetry.sdk.metrics._internal._view_instrument_match import _hash_attributes
    from opentelemetry.sdk.metrics._internal.metric_reader_storage import MetricReaderStorage

    _OVERFLOW_KEY = _hash_attributes(_OVERFLOW)
    _has_storage = True
if not _has_storage:
    MetricReaderStorage = object  # type: ignore[assignment,misc] # nothing is made of it

_JOIN_S = 1.0

_logger = logging.getLogger("spanglass")

#: Attribute sets of one instrument, the one that stands for all others among them; the specification's default.
MAX_SETS = 2_000


class BoundedStorage(MetricReaderStorage):
    """What one reader has of all instruments; sets of attributes beyond the bound are added up in one.

    Histograms of durations have bounds for durations.
    """

    def __init__(self, sdk_config: Any, temporality: Any, aggregation: Any) -> None:
        super().__init__(sdk_config, temporality, by_unit(aggregation))

    def consume_measurement(self, measurement: Measurement, should_sample_exemplar: bool = True) -> None:  # noqa: FBT001, FBT002 - the SDK's
        """Take one measurement, on the application's thread."""
        try:
            for match in self._get_or_init_view_instrument_match(measurement.instrument):
                known = match._attributes_aggregation  # noqa: SLF001
                if len(known) < MAX_SETS - 1 or _is_known(match, measurement):
                    match.consume_measurement(measurement, should_sample_exemplar)
                    continue
                if _OVERFLOW_KEY not in known:
                    _logger.warning(
                        "metric %s has %d sets of attributes; further ones are added up under otel.metric.overflow. "
                        "Is there an id among its attributes?",
                        measurement.instrument.name,
                        MAX_SETS - 1,
                    )
                match.consume_measurement(
                    dataclasses.replace(measurement, attributes=_OVERFLOW), should_sample_exemplar
                )
        except AttributeError as error:
            lose(BOUNDS, error)
            self.consume_measurement = super().consume_measurement  # type: ignore[method-assign] # from now on
            self.consume_measurement(measurement, should_sample_exemplar)


def _is_known(match: _ViewInstrumentMatch, measurement: Measurement) -> bool:
    wanted = match._view._attribute_keys  # noqa: SLF001
    given = measurement.attributes or {}
    seen = given if wanted is None else {key: value for key, value in given.items() if key in wanted}
    return _hash_attributes(seen) in match._attributes_aggregation  # noqa: SLF001


def bound_readers(provider: MeterProvider, readers: Collection[MetricReader]) -> None:
    """Bound what these readers keep; before anything is measured."""
    if _has_storage:
        with optional(BOUNDS):
            _renew(provider, dict.fromkeys(readers, BoundedStorage))


def bound_all_readers(provider: MeterProvider) -> None:
    """Bound what all readers keep that a provider was made with."""
    with optional(BOUNDS):
        bound_readers(provider, list(provider._measurement_consumer._reader_storages))  # noqa: SLF001


def _renew(provider: MeterProvider, kinds: Mapping[MetricReader, type[MetricReaderStorage]]) -> None:
    """Give readers an empty storage of a kind; whoever measures meanwhile goes on with the old ones."""
    made = {reader: new_storage(provider, reader, kind) for reader, kind in kinds.items()}
    consumer = provider._measurement_consumer  # noqa: SLF001
    consumer._reader_storages = {**consumer._reader_storages, **made}  # noqa: SLF001


def new_storage(
    provider: MeterProvider, reader: MetricReader, kind: type[MetricReaderStorage] = MetricReaderStorage
) -> MetricReaderStorage:
    """Make an empty storage for a reader of this provider."""
    return kind(
        provider._measurement_consumer._sdk_config,  # noqa: SLF001
        reader._instrument_class_temporality,  # type: ignore[arg-type] # noqa: SLF001
        reader._instrument_class_aggregation,  # type: ignore[arg-type] # noqa: SLF001
    )


def renew_in_child(providers: Providers, own: Resource) -> None:
    """Make the providers a forked child's own: the resource, sums at zero, locks that the parent may have held."""
    with optional(FORKS):
        for provider in providers:
            provider._update_resource(own)  # noqa: SLF001 - the SDK's own way in its own at-fork handler
    with optional(FORKS):
        _begin_at_zero(providers.meter)


def _begin_at_zero(provider: MeterProvider) -> None:
    consumer = provider._measurement_consumer  # noqa: SLF001
    consumer._lock = threading.Lock()  # noqa: SLF001
    _renew(provider, {reader: type(storage) for reader, storage in consumer._reader_storages.items()})  # noqa: SLF001
    for reader in consumer._reader_storages:  # noqa: SLF001
        if hasattr(reader, "_export_lock"):
            reader._export_lock = threading.Lock()  # noqa: SLF001
    for meter in provider._meters.values():  # noqa: SLF001
        meter._instrument_registration_lock = threading.Lock()  # noqa: SLF001
        meter._instrument_ids_lock = threading.Lock()  # noqa: SLF001


def renew_as_in_child(providers: Providers) -> None:
    """Do what the SDK's providers do by themselves in a forked child, where Python is not told of the fork."""
    for provider in providers:
        with optional(FORKS):
            provider._handle_fork()  # noqa: SLF001


def restart_readers(provider: MeterProvider) -> None:
    """Start the threads anew that collect for this provider's readers, and that ended with the fork or before it."""
    with optional(GREEN):
        for reader in provider._measurement_consumer._reader_storages:  # noqa: SLF001
            if isinstance(reader, PeriodicExportingMetricReader) and reader._daemon_thread is not None:  # noqa: SLF001
                _resume(reader)


def pause_readers(provider: MeterProvider) -> Callable[[], None]:
    """End the threads that collect for this provider's readers, without collecting; returns what starts new ones."""
    paused: list[PeriodicExportingMetricReader] = []
    with optional(GREEN):
        for reader in provider._measurement_consumer._reader_storages:  # noqa: SLF001
            if isinstance(reader, PeriodicExportingMetricReader):
                _pause(reader)
                paused.append(reader)

    def resume() -> None:
        with optional(GREEN):
            for reader in paused:
                _resume(reader)

    return resume


def _pause(reader: PeriodicExportingMetricReader) -> None:
    collect, thread = reader._collect, reader._daemon_thread  # noqa: SLF001
    reader._collect = lambda *_, **__: None  # type: ignore[assignment] # noqa: SLF001
    reader._shutdown_event.set()  # noqa: SLF001
    if thread is not None:
        thread.join(_JOIN_S)
    reader._collect = collect  # noqa: SLF001
    reader._shutdown_event = threading.Event()  # noqa: SLF001


def _resume(reader: PeriodicExportingMetricReader) -> None:
    """Begin its thread anew, with what ``threading`` has now: others can't be waited for."""
    reader._shutdown_event = threading.Event()  # noqa: SLF001
    thread = threading.Thread(target=reader._ticker, name="OtelPeriodicExportingMetricReader", daemon=True)  # noqa: SLF001
    reader._daemon_thread = thread  # noqa: SLF001
    thread.start()


def remove_reader(provider: MeterProvider, reader: MetricReader) -> None:
    """Take a reader that is shut down out of a provider, which has a way only for one that is not."""
    with optional(REMOVAL):
        provider._measurement_consumer.remove_metric_reader(reader)  # noqa: SLF001


def silence(provider: MeterProvider | LoggerProvider) -> None:
    """Have a provider give meters or loggers that do nothing, as with OTEL_SDK_DISABLED."""
    if hasattr(provider, "_disabled"):
        provider._disabled = True  # noqa: SLF001 - the SDK reads the variable into it, for all providers
    else:
        lose(SILENCE, AttributeError("_disabled"))
