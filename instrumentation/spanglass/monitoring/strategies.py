"""Where measurements come from: a strategy for each type of metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from spanglass.api.analysis.figures import Figures, numbers_of
from spanglass.errors import CollectionError
from spanglass.monitoring.measurements import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spanglass.api.analysis.usage import HostUsage
    from spanglass.api.collector import MetricsCollector
    from spanglass.api.operations import PerformanceMonitor

__all__ = ["CollectStrategy", "measurements_of", "of_operations", "recorded", "usage_of"]


class CollectStrategy(Protocol):
    """Measures one type of metric.

    A function or coroutine function without arguments; a function runs in a thread and may block. It gives
    ``Measurement``s, ``Figures``, or numbers by name.
    """

    def __call__(self) -> Any:
        """Measure now."""


def measurements_of(metric_type: str, found: Any, now_ns: int) -> list[Measurement]:
    """What a strategy gave as measurements; ``CollectionError`` names the type for what is none."""
    if found is None:
        return []
    if isinstance(found, Mapping):
        units: Mapping[str, str] = found.units if isinstance(found, Figures) else {}
        labels: Mapping[str, str] = found.labels if isinstance(found, Figures) else {}
        return [
            Measurement(metric_type, name, value, units.get(name, ""), labels, now_ns)
            for name, value in numbers_of(found).items()
            if value is not None
        ]
    return [_timed(each, now_ns) for each in _checked(metric_type, found)]


def usage_of(usage: HostUsage, kind: str) -> Callable[[], Figures]:
    """A strategy for one kind of the host's resources: cpu, memory, disk, network."""
    return lambda: usage.read((kind,))


def of_operations(monitor: PerformanceMonitor) -> Callable[[], list[Measurement]]:
    """A strategy for the statistics of operations, by their name: how often, how long, how many failed."""

    def collect() -> list[Measurement]:
        found = []
        for name, each in monitor.operations().items():
            figures = {
                "request_count": (float(each.count), ""),
                "request_rate": (each.throughput_per_s, "/s"),
                "error_rate": (each.error_rate, "ratio"),
                "avg_response_time": (each.average_s, "s"),
                "p95_response_time": (each.p95_s, "s"),
            }
            found += [
                Measurement("operation", figure, value, unit, {"operation": name})
                for figure, (value, unit) in figures.items()
            ]
        return found

    return collect


def recorded(collector: MetricsCollector) -> Callable[[], list[Measurement]]:
    """A strategy for what the application recorded with a ``MetricsCollector``, by its attributes."""

    def collect() -> list[Measurement]:
        found = []
        for name, snapshot in collector.get_metrics().items():
            for series in snapshot.series:
                dimensions = {key: str(value) for key, value in series.attributes.items()}
                found += [
                    Measurement("custom", figure, value, snapshot.unit, dimensions)
                    for figure, value in numbers_of({name: series.value}).items()
                    if value is not None
                ]
        return found

    return collect


def _checked(metric_type: str, found: Any) -> Iterable[Measurement]:
    try:
        measurements = list(found)
    except TypeError:
        measurements = [found]
    for each in measurements:
        if not isinstance(each, Measurement):
            raise CollectionError(f"{metric_type}: a strategy gives measurements or numbers by name, not {each!r}")
    return measurements


def _timed(each: Measurement, now_ns: int) -> Measurement:
    if each.time_ns:
        return each
    return Measurement(each.metric_type, each.name, each.value, each.unit, each.dimensions, now_ns)
