"""Metrics by hand: ``counter("orders", unit="{order}").add(1, plan="pro")``.

A metric is defined once and then found by its name; defining it otherwise is a ``MetricError``, for one name with two
units cannot be drawn. Measuring never raises: a value that is no number is logged once and left out.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from spanglass.api import scope
from spanglass.api.metric_rules import Definition, checked_definition, checked_value
from spanglass.errors import MetricError
from spanglass.guard import report, swallow
from spanglass.process.forking import in_child_while_alive
from spanglass.values import attributes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from opentelemetry.util.types import AnyValue

    from spanglass.api.metric_rules import Number

    Made = TypeVar("Made", bound="Metric")

__all__ = [
    "MAX_METRICS",
    "Counter",
    "Gauge",
    "Histogram",
    "Metric",
    "UpDownCounter",
    "counter",
    "gauge",
    "histogram",
    "up_down_counter",
]

#: Most names; names made from data have no end. What is beyond takes values and sends none.
MAX_METRICS = 2_000


class Metric:
    """One metric, for all providers that come and go."""

    kind = ""
    _measure = ""  # the method of OpenTelemetry's instrument

    def __init__(self, definition: Definition, *, sent: bool = True) -> None:
        self.definition = definition
        self._sent = sent
        self._bound: tuple[object, Any] | None = None

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.definition.name

    @property
    def unit(self) -> str:
        """The metric's unit, in UCUM."""
        return self.definition.unit

    def _record(self, value: Number, attributes: Mapping[str, object] | None, more: Mapping[str, object]) -> None:
        if not self._sent:
            return
        try:
            number = checked_value(value, monotonic=self.kind == "counter")
        except MetricError as problem:
            report(f"measure {self.name}", problem)
            return
        self.send(number, attributes_of(attributes, more))

    def send(self, value: float, attributes: Mapping[str, AnyValue] | None) -> None:
        """Send a value that was checked, with attributes that OpenTelemetry takes."""
        try:
            self._instrument()(value, attributes)
        except Exception as error:  # noqa: BLE001 - the SDK's views and exemplars run in here
            swallow("record a measurement", error)

    def _instrument(self) -> Any:
        """Return the recording method of the present provider's instrument."""
        meter = scope.meter()
        bound = self._bound
        if bound is None or bound[0] is not meter:
            bound = self._bound = (meter, getattr(self._create(meter), self._measure))
        return bound[1]

    def _create(self, meter: Any) -> Any:
        create = getattr(meter, f"create_{self.kind}")
        return create(self.definition.name, self.definition.unit, self.definition.description)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.unit!r}>"


class Counter(Metric):
    """A sum that only grows, such as orders."""

    kind, _measure = "counter", "add"

    def add(self, value: Number = 1, /, attributes: Mapping[str, object] | None = None, **more: object) -> None:
        """Add a value that is not negative, for one combination of attributes."""
        self._record(value, attributes, more)


class UpDownCounter(Metric):
    """A sum that grows and shrinks, such as open orders."""

    kind, _measure = "up_down_counter", "add"

    def add(self, value: Number = 1, /, attributes: Mapping[str, object] | None = None, **more: object) -> None:
        """Add a value, which may be negative."""
        self._record(value, attributes, more)


class Gauge(Metric):
    """A value that replaces the one before, such as a temperature."""

    kind, _measure = "gauge", "set"

    def set(self, value: Number, /, attributes: Mapping[str, object] | None = None, **more: object) -> None:
        """Set the value, for one combination of attributes."""
        self._record(value, attributes, more)


class Histogram(Metric):
    """A distribution of values, such as durations."""

    kind, _measure = "histogram", "record"

    def record(self, value: Number, /, attributes: Mapping[str, object] | None = None, **more: object) -> None:
        """Take a value into the distribution, for one combination of attributes."""
        self._record(value, attributes, more)

    def _create(self, meter: Any) -> Any:
        made = self.definition
        return meter.create_histogram(
            made.name, made.unit, made.description, explicit_bucket_boundaries_advisory=made.buckets
        )


class _Registry:
    """The metrics of this process, by name without regard to case: to OpenTelemetry ``A`` and ``a`` are one."""

    def __init__(self) -> None:
        self._metrics: dict[str, Metric] = {}
        self.renew()
        in_child_while_alive(self)

    def renew(self) -> None:
        self._lock = threading.Lock()

    def find(self, made: type[Made], name: str, unit: str, description: str, buckets: Sequence[float] | None) -> Made:
        found = self._metrics.get(name.lower()) if isinstance(name, str) else None
        if found is None:
            definition = checked_definition(made.kind, name, unit, description, buckets)
            found = self._add(name.lower(), made, definition)
        if isinstance(found, made) and _agrees(found.definition, unit, buckets):
            return found
        asked = Definition(made.kind, name, unit, description, None)
        raise MetricError(
            f"metric {name!r} is a {found.definition.shown} already, and cannot be a {asked.shown} too"
            f"{'' if buckets is None else ' or have other buckets'}: give one of the two another name"
        )

    def _add(self, key: str, made: type[Made], definition: Definition) -> Metric:
        with self._lock:
            if key not in self._metrics:
                if len(self._metrics) >= MAX_METRICS:
                    problem = f"there are {MAX_METRICS} metrics already: put what differs into attributes, not names"
                    report("define one more metric", MetricError(problem))
                    return made(definition, sent=False)
                self._metrics[key] = made(definition)
            return self._metrics[key]


_registry = _Registry()


def _agrees(known: Definition, unit: str, buckets: Sequence[float] | None) -> bool:
    """Return whether a later call means the same; what it leaves out agrees."""
    return unit in {"", known.unit} and (buckets is None or tuple(buckets) == known.buckets)


def counter(name: str, unit: str = "", description: str = "") -> Counter:
    """Return the counter of this name, made by the first call; ``unit`` in UCUM: ``s``, ``By``, ``{order}``."""
    return _registry.find(Counter, name, unit, description, None)


def up_down_counter(name: str, unit: str = "", description: str = "") -> UpDownCounter:
    """Return the counter of this name that also shrinks, made by the first call."""
    return _registry.find(UpDownCounter, name, unit, description, None)


def gauge(name: str, unit: str = "", description: str = "") -> Gauge:
    """Return the gauge of this name, made by the first call."""
    return _registry.find(Gauge, name, unit, description, None)


def histogram(name: str, unit: str = "", description: str = "", *, buckets: Sequence[float] | None = None) -> Histogram:
    """Return the histogram of this name, made by the first call.

    ``buckets`` are the upper ends, ascending, in ``unit``; where the unit is ``s`` the default is 5 ms to 10 s.
    """
    return _registry.find(Histogram, name, unit, description, buckets)
