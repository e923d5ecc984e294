"""Metrics that the application can also read back itself: ``MetricsCollector``."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass.api import metrics
from spanglass.api.metric_rules import checked_value
from spanglass.api.statistics import QuantileSketch
from spanglass.errors import MetricError
from spanglass.guard import report, swallow
from spanglass.process.forking import in_child_while_alive
from spanglass.values import attributes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.util.types import AnyValue

    from spanglass.api.metric_rules import Number

__all__ = ["MAX_SERIES", "Distribution", "MetricSeries", "MetricSnapshot", "MetricsCollector"]

#: Most series of one collector, over all its metrics. Further combinations of attributes are taken together.
MAX_SERIES = 1_000

#: Attribute of the series that takes the rest, named in the specification (metrics/sdk.md, "Overflow attribute").
OVERFLOW = "otel.metric.overflow"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram has taken; quantiles are within 1 %, values in the metric's unit."""

    count: int
    total: float
    minimum: float
    maximum: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One combination of attributes: the sum of a counter, the last value of a gauge, or a distribution."""

    attributes: Mapping[str, AnyValue]
    value: int | float | Distribution


@dataclass(frozen=True, slots=True)
class MetricSnapshot:
    """One metric as it stands."""

    kind: str
    unit: str
    series: tuple[MetricSeries, ...]

    @property
    def value(self) -> int | float | Distribution:
        """The value of the only series; of a counter with several series their sum."""
        if len(self.series) == 1:
            return self.series[0].value
        if self.kind == "counter":
            return sum(each.value for each in self.series if not isinstance(each.value, Distribution))
        raise MetricError(f"this {self.kind} has {len(self.series)} series, and no one value: read `series`")


@dataclass(slots=True)
class _Series:
    attributes: dict[str, AnyValue]
    value: int | float = 0
    sketch: QuantileSketch = field(default_factory=QuantileSketch)


class MetricsCollector:
    """Records metrics that are sent like any other, and keeps them to be read by ``get_metrics``.

    At most ``max_series`` series are kept. A forked child begins with none.
    """

    def __init__(self, *, max_series: int = MAX_SERIES) -> None:
        self._max_series = max_series
        self.renew()
        in_child_while_alive(self)

    def renew(self) -> None:
        """Forget everything; what was sent stays sent."""
        self._lock = threading.Lock()
        self._metrics: dict[str, metrics.Metric] = {}
        self._series: dict[tuple[str, object], _Series] = {}

    def record_counter(
        self,
        name: str,
        value: Number = 1,
        /,
        *,
        unit: str = "",
        attributes: Mapping[str, object] | None = None,
        **more: object,
    ) -> None:
        """Add to the counter of this name, in ``unit``; what is wrong is logged once, and never raised."""
        self._record(metrics.counter, name, value, unit, attributes_of(attributes, more))

    def record_gauge(
        self,
        name: str,
        value: Number,
        /,
        *,
        unit: str = "",
        attributes: Mapping[str, object] | None = None,
        **more: object,
    ) -> None:
        """Set the gauge of this name."""
        self._record(metrics.gauge, name, value, unit, attributes_of(attributes, more))

    def record_histogram(
        self,
        name: str,
        value: Number,
        /,
        *,
        unit: str = "",
        attributes: Mapping[str, object] | None = None,
        **more: object,
    ) -> None:
        """Take a value into the histogram of this name."""
        self._record(metrics.histogram, name, value, unit, attributes_of(attributes, more))

    def get_metrics(self) -> dict[str, MetricSnapshot]:
        """Return what was recorded here, by name, in the order of the first records."""
        with self._lock:
            found: dict[str, list[MetricSeries]] = {name: [] for name in self._metrics}
            for (name, _), series in self._series.items():
                kept = _distribution(series.sketch) if self._metrics[name].kind == "histogram" else series.value
                found[name].append(MetricSeries(dict(series.attributes), kept))
            return {
                name: MetricSnapshot(self._metrics[name].kind, self._metrics[name].unit, tuple(series))
                for name, series in found.items()
            }

    def _record(
        self,
        define: Callable[[str, str], metrics.Metric],
        name: str,
        value: Number,
        unit: str,
        attributes: dict[str, AnyValue] | None,
    ) -> None:
        try:
            metric = define(name, unit)
            number = checked_value(value, monotonic=metric.kind == "counter")
        except MetricError as problem:
            report("record a metric", problem)
            return
        metric.send(number, attributes)
        try:
            self._keep(metric, number, attributes or {})
        except Exception as error:  # noqa: BLE001 - an attribute's value may refuse to be compared
            swallow("keep a metric", error)

    def _keep(self, metric: metrics.Metric, value: float, attributes: dict[str, AnyValue]) -> None:
        key = (metric.name, frozenset((name, _hashable(value)) for name, value in attributes.items()))
        with self._lock:
            series = self._series.get(key)
            if series is None:
                series = self._new_series(metric, key, attributes)
            if metric.kind == "histogram":
                series.sketch.add(value)
            else:
                series.value = value + (series.value if metric.kind == "counter" else 0)

    def _new_series(self, metric: metrics.Metric, key: tuple[str, object], attributes: dict[str, AnyValue]) -> _Series:
        if len(self._series) >= self._max_series:
            key, attributes = (metric.name, OVERFLOW), {OVERFLOW: True}
            if key in self._series:
                return self._series[key]
            if len(self._metrics) >= self._max_series:
                return _Series(attributes)
        self._metrics.setdefault(metric.name, metric)
        return self._series.setdefault(key, _Series(attributes))


def _hashable(value: AnyValue) -> object:
    return tuple(value) if isinstance(value, list) else value


def _distribution(sketch: QuantileSketch) -> Distribution:
    p50, p95, p99 = sketch.quantiles(0.5, 0.95, 0.99)
    return Distribution(sketch.count, sketch.total, sketch.minimum, sketch.maximum, p50, p95, p99)
