"""A histogram's measurements with one set of attributes, again and again: what the SDK looks up each time is kept.

The SDK copies, cleans and hashes the attributes of each measurement, 4 of its 9 us.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.context import get_current
from opentelemetry.sdk import metrics as sdk

from spanglass.sdk.private.features import LIGHT_METRICS, lose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import Histogram


class _Measurement(NamedTuple):
    """What aggregations read of the SDK's measurement."""

    value: float
    time_unix_nano: int
    instrument: Histogram
    context: Context
    attributes: Mapping[str, Any]


class Series:
    """Records values of one histogram with these attributes, whose values are texts and numbers that do not change."""

    def __init__(self, histogram: Histogram, attributes: Mapping[str, Any]) -> None:
        self._histogram: Any = histogram
        self._attributes = attributes
        self._storages: Any = None  # for which the aggregations were looked up
        self._aggregations: list[Any] | None = None

    def record(self, value: float) -> None:
        """Record a value that is finite and not negative, in the current context."""
        histogram, attributes = self._histogram, self._attributes
        try:
            consumer = histogram._measurement_consumer  # noqa: SLF001
            storages = consumer._reader_storages  # noqa: SLF001 - another where readers come or go, or a child is forked
            choice = consumer._sdk_config.exemplar_filter  # noqa: SLF001
            enabled = histogram._is_enabled()  # noqa: SLF001
        except AttributeError as error:
            self._give_up(error)
            histogram.record(value, attributes)
            return
        if storages is not self._storages or self._aggregations is None or not enabled:
            histogram.record(value, attributes)
            if storages is not self._storages:
                self._look_up(storages)
            return
        context, now_ns = get_current(), time.time_ns()
        sampled = choice.should_sample(value, now_ns, attributes, context)
        measurement = _Measurement(value, now_ns, histogram, context, attributes)
        for aggregation in self._aggregations:
            aggregation.aggregate(measurement, sampled)

    def _give_up(self, error: Exception) -> None:
        """Leave it to the histogram: one of a provider that measures nothing, or of an SDK that is made otherwise."""
        if isinstance(self._histogram, sdk.Histogram):
            lose(LIGHT_METRICS, error)
        self.record = partial(_record, self._histogram, self._attributes)  # type: ignore[method-assign] # from now on

    def _look_up(self, storages: Any) -> None:
        """Find where these attributes are added up; nowhere, where they are among those beyond the bound."""
        self._storages = storages
        try:
            found = [
                _aggregation(match, self._attributes)
                for storage in storages.values()
                for match in storage._get_or_init_view_instrument_match(self._histogram)  # noqa: SLF001
            ]
        except AttributeError as error:
            lose(LIGHT_METRICS, error)
            found = [None]
        self._aggregations = None if None in found else found


def _aggregation(match: Any, attributes: Mapping[str, Any]) -> Any:
    """Return where a view adds up what has these attributes; None if it has others, or is beyond its bound."""
    if match._view._attribute_keys is not None:  # noqa: SLF001
        return None
    known = list(match._attributes_aggregation.values())  # noqa: SLF001 - other threads add to it
    return next((each for each in known if _typed(each._attributes) == _typed(attributes)), None)  # noqa: SLF001


def _typed(attributes: Mapping[str, Any] | None) -> dict[str, tuple[type, Any]]:
    """Return attributes so that 1 and True differ."""
    return {name: (type(value), value) for name, value in (attributes or {}).items()}


def _record(histogram: Histogram, attributes: Mapping[str, Any], value: float) -> None:
    histogram.record(value, attributes)
