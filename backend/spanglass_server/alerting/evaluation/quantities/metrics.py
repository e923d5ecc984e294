"""Quantities that are metrics by name: OpenTelemetry's, with dots, or Prometheus'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.building import quoted
from spanglass_server.alerting.evaluation.problems import RuleProblem
from spanglass_server.alerting.evaluation.quantities.expressions import (
    REMEMBERED_MS,
    Absence,
    Expression,
    Source,
    milliseconds,
    promql_duration,
)
from spanglass_server.alerting.evaluation.quantities.histograms import Classic, Native, aggregated
from spanglass_server.alerting.evaluation.quantities.labels import grouped, matched
from spanglass_server.alerting.evaluation.units import a_second, base_unit
from spanglass_server.measures.kinds import quantile_of
from spanglass_server.promql.stored.naming.names import is_plain_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_core.alerting.conditions.nodes import Quantity
    from spanglass_server.alerting.evaluation.quantities.expressions import Asked, Labels
    from spanglass_server.alerting.evaluation.quantities.labels import Matched
    from spanglass_server.promql.stored.discovery.kinds import MetricKind

#: Labels that an alert is to have where a series is one: attributes of resources are labels where they are named, and
#: nothing has the value that is left out.
_OF_RESOURCES = ("service_name", "host_name")
_OVER_TIME = {"min": "min", "max": "max", "sum": "avg", "count": "count"}


def metric_source(quantity: Quantity, kind: MetricKind | None, asked: Asked) -> Source:
    """The source of a metric by name."""
    is_word = "." in quantity.text
    keys = quantity.by or asked.by
    metric = _Metric(
        quantity,
        kind.kind if kind is not None else _meant(quantity.aggregate),
        *base_unit(kind.unit if kind is not None else ""),
        matched(quantity.conditions, words=is_word),
        grouped(keys, words=is_word) if keys else None,
        milliseconds(quantity.window_ns) if quantity.window_ns else asked.window_ms,
    )
    return metric.source


def _meant(aggregate: str) -> str:
    """What a metric is taken for of which nothing is known."""
    return "counter" if aggregate == "rate" else "gauge"


@dataclass(frozen=True, slots=True)
class _Metric:
    """A metric as it is asked for; ``unit`` and ``factor`` are of its values, ``by`` is None if nothing is said."""

    quantity: Quantity
    kind: str
    unit: str | None
    factor: float
    conditions: tuple[Matched, ...]
    by: tuple[str, ...] | None
    window_ms: int

    @property
    def source(self) -> Source:
        """Its source."""
        value, unit = self._value()
        pinned = tuple((each.label, each.value) for each in self.conditions if each.is_fixed)
        return Source(value, unit, self.quantity.column, self.absence, self._samples, pinned=pinned)

    def absence(self, over_ms: int) -> Absence:
        """Where there are points of it."""
        labels: Labels = self.by
        if labels is None and self.quantity.aggregate not in ("", "rate"):
            labels = ()
        return Absence(self._points(over_ms, labels), self._points(over_ms + REMEMBERED_MS, labels))

    def _value(self) -> tuple[Expression, str | None]:
        """Its values, with their unit."""
        aggregate = self.quantity.aggregate
        if self.kind in ("native", "classic"):
            return self._of_histogram(aggregate)
        if self.kind == "counter":
            return self._of_counter(aggregate)
        if aggregate == "rate":
            hint = 'for its change write promql("deriv(...)")'
            raise RuleProblem(f"{self.quantity.text} is no counter, so it has no rate", self.quantity.column, hint)
        if not self.quantity.window_ns:
            return self._over(aggregate, lambda series: series, self.factor), self._unit_of(aggregate)
        function = f"{_OVER_TIME.get(aggregate, 'avg')}_over_time"
        ranged = self._over(
            "sum" if aggregate == "count" else aggregate,
            lambda series: f"{function}({series}[{promql_duration(self.window_ms)}])",
            1.0 if aggregate == "count" else self.factor,
        )
        return ranged, self._unit_of(aggregate)

    def _unit_of(self, aggregate: str) -> str | None:
        return "" if aggregate == "count" else self.unit

    def _of_counter(self, aggregate: str) -> tuple[Expression, str | None]:
        name, column = self.quantity.text, self.quantity.column
        window = promql_duration(self.window_ms)
        if aggregate == "rate":
            how = "sum" if self.by is not None else ""
            return self._over(how, lambda series: f"rate({series}[{window}])", self.factor), a_second(self.unit)
        if aggregate == "count":
            return self._over("sum", lambda series: f"increase({series}[{window}])", self.factor), self.unit
        what = f"{name} is a counter, which only rises" if not aggregate else f"{aggregate} of a counter means little"
        raise RuleProblem(what, column, f"write rate({name}) for how much a second, count({name}) for how much")

    def _of_histogram(self, aggregate: str) -> tuple[Expression, str | None]:
        quantile = quantile_of(aggregate) if aggregate else None
        if quantile is None and aggregate not in ("avg", "count", "rate", "sum"):
            name = self.quantity.text
            hint = f"write p95({name}), avg({name}), or rate({name}) for how many a second"
            raise RuleProblem(f"{name} is a histogram", self.quantity.column, hint)
        by = self.by or ()
        parts = self._histogram
        function = "increase" if aggregate in ("count", "sum") else "rate"
        if quantile is not None:
            return Expression(parts.quantile(quantile, by), by, self.factor), self.unit
        if aggregate == "avg":
            return Expression(parts.average(by), by, self.factor), self.unit
        if aggregate == "sum":
            return Expression(parts.total(function, by), by, self.factor), self.unit
        return Expression(parts.count(function, by), by), "/s" if aggregate == "rate" else ""

    @property
    def _histogram(self) -> Native | Classic:
        window = promql_duration(self.window_ms)
        if self.kind == "native":
            return Native(self.selector, window)
        return Classic(self.selector, window, self.quantity.text)

    @property
    def _samples(self) -> Expression:
        """How many points, or of histograms how many values they count, are in the window."""
        labels: Labels = self.by
        if labels is None and self.quantity.aggregate not in ("", "rate"):
            labels = ()
        if self.kind in ("native", "classic"):
            return Expression(self._histogram.count("increase", labels or ()), labels or ())
        return self._points(self.window_ms, labels)

    def _points(self, window_ms: int, labels: Labels) -> Expression:
        name = f"{self.quantity.text}_count" if self.kind == "classic" else self.quantity.text
        counted = f"count_over_time({self.selector(name)}[{promql_duration(window_ms)}])"
        return Expression(counted if labels is None else aggregated("sum", labels, counted), labels)

    def _over(self, aggregate: str, series: Callable[[str], str], factor: float) -> Expression:
        """An aggregation of its series, for each key; without one, each series is a key, or keys have the mean."""
        if not aggregate and self.by is None:
            return Expression(series(self.selector()), None, factor)
        by, aggregate = self.by or (), aggregate or "avg"
        plain = aggregated(aggregate, by, series(self.selector()))
        fixed = next((each for each in self.conditions if each.is_fixed), None)
        if fixed is None:
            return Expression(plain, by, factor)
        others = tuple(each for each in self.conditions if each is not fixed)
        shared = aggregated(
            aggregate, tuple(dict.fromkeys((*by, fixed.label))), series(self.selector(conditions=others))
        )
        return Expression(plain, by, factor, shared, (fixed.label, fixed.value))

    def selector(self, name: str = "", conditions: Sequence[Matched] | None = None) -> str:
        """PromQL of its series, or those of one of its parts."""
        name = name or self.quantity.text
        texts = [each.text for each in (self.conditions if conditions is None else conditions)]
        if self.by is None and self.quantity.aggregate in ("", "rate"):
            matched_labels = {each.label for each in self.conditions}
            texts += [f'{label}!=" "' for label in _OF_RESOURCES if label not in matched_labels]
        if is_plain_label(name.replace(":", "_")):
            return name + (f"{{{', '.join(texts)}}}" if texts else "")
        return f"{{{', '.join([quoted(name), *texts])}}}"
