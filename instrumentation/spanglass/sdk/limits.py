"""Bounds that the SDK (1.45) leaves open: attribute sets of one instrument, and the length of one attribute's value.

Each is as OpenTelemetry's specification says (metrics/sdk.md, cardinality limits; common, attribute limits).
"""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LogRecordLimits
from opentelemetry.sdk.environment_variables import OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT
from opentelemetry.sdk.metrics._internal._view_instrument_match import _hash_attributes, _ViewInstrumentMatch
from opentelemetry.sdk.metrics._internal.metric_reader_storage import MetricReaderStorage
from opentelemetry.sdk.trace import SpanLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics._internal.measurement import Measurement
    from opentelemetry.sdk.metrics.export import MetricReader

#: Attribute sets of one instrument, the one that stands for all others among them; the specification's default.
MAX_SETS = 2_000
#: Characters of one value; a server cuts at as many bytes unless it is told otherwise (storage.max_value_bytes).
MAX_VALUE = 128 * 1024

_OVERFLOW = {"otel.metric.overflow": True}
_OVERFLOW_KEY = _hash_attributes(_OVERFLOW)

_logger = logging.getLogger("spanglass")


class BoundedStorage(MetricReaderStorage):
    """What one reader has of all instruments; sets of attributes beyond the bound are added up in one."""

    def consume_measurement(self, measurement: Measurement, should_sample_exemplar: bool = True) -> None:  # noqa: FBT001, FBT002 - the SDK's
        """Take one measurement, on the application's thread."""
        for match in self._get_or_init_view_instrument_match(measurement.instrument):
            known = match._attributes_aggregation  # noqa: SLF001 - there is no public way
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
            match.consume_measurement(dataclasses.replace(measurement, attributes=_OVERFLOW), should_sample_exemplar)


def bound_readers(provider: MeterProvider, readers: Collection[MetricReader]) -> None:
    """Bound what these readers keep; before anything is measured."""
    renew_readers(provider, dict.fromkeys(readers, BoundedStorage))


def renew_readers(provider: MeterProvider, kinds: dict[MetricReader, type[MetricReaderStorage]]) -> None:
    """Give readers an empty storage of a kind; whoever measures meanwhile goes on with the old ones."""
    consumer = provider._measurement_consumer  # noqa: SLF001 - there is no public way
    made = {
        reader: kind(
            consumer._sdk_config,  # noqa: SLF001
            reader._instrument_class_temporality,  # type: ignore[arg-type] # noqa: SLF001
            reader._instrument_class_aggregation,  # type: ignore[arg-type] # noqa: SLF001
        )
        for reader, kind in kinds.items()
    }
    consumer._reader_storages = {**consumer._reader_storages, **made}  # noqa: SLF001


def span_limits() -> SpanLimits:
    """Return the limits of spans: what OpenTelemetry's variables say, and else a bound for texts."""
    return SpanLimits(max_attribute_length=_value_limit())


def log_limits() -> LogRecordLimits:
    """Return the limits of log records, likewise."""
    return LogRecordLimits(max_attribute_length=_value_limit())


class _Once(logging.Filter):
    """Lets the first record of each message pass."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether this is the first of its kind."""
        first = record.msg not in self._seen
        self._seen.add(str(record.msg))
        return first


def say_once() -> Callable[[], None]:
    """Have the SDK say once that an attribute was too much, not for each of them; returns what takes that back."""
    logger, once = logging.getLogger("opentelemetry.attributes"), _Once()
    logger.addFilter(once)
    return lambda: logger.removeFilter(once)


def _value_limit() -> int | None:
    return None if os.environ.get(OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT) else MAX_VALUE


def _is_known(match: _ViewInstrumentMatch, measurement: Measurement) -> bool:
    wanted = match._view._attribute_keys  # noqa: SLF001
    given = measurement.attributes or {}
    seen = given if wanted is None else {key: value for key, value in given.items() if key in wanted}
    return _hash_attributes(seen) in match._attributes_aggregation  # noqa: SLF001
