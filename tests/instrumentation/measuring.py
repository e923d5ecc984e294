"""A meter provider that is read by the test, and what came of it as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class FakeClock:
    """Stands still unless it is moved."""

    unix: int = 1_700_000_000_000_000_000
    monotonic: int = 1_000_000_000

    def unix_ns(self) -> int:
        """Since 1970."""
        return self.unix

    def monotonic_ns(self) -> int:
        """Since something."""
        return self.monotonic

    def move_s(self, seconds: float) -> None:
        """Let time pass."""
        self.unix += int(seconds * 1e9)
        self.monotonic += int(seconds * 1e9)


class Measured:
    """Collects when it is asked to."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])
        self._points: list[tuple[str, Any]] = []

    def collect(self) -> Measured:
        """Run one collection cycle and keep what it gave."""
        data = self._reader.get_metrics_data()
        resources = data.resource_metrics if data is not None else []
        self._points = [
            (metric.name, point)
            for resource in resources
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]
        return self

    def _of(self, name: str) -> Iterator[Any]:
        return (point for known, point in self._points if known == name)

    @property
    def names(self) -> set[str]:
        """Names of all metrics that have a value."""
        return {name for name, _ in self._points}

    def values(self, name: str, *keys: str) -> dict[Any, Any]:
        """Return a metric's values by these attributes: a text for one key, else a tuple."""
        return {_key(point, keys): point.value for point in self._of(name)}

    def value(self, name: str) -> Any:
        """Return the value of a metric that has one series."""
        (point,) = self._of(name)
        return point.value

    def counts(self, name: str, *keys: str) -> dict[Any, int]:
        """Return how many values a histogram has, by these attributes."""
        return {_key(point, keys): point.count for point in self._of(name)}

    def sums(self, name: str, *keys: str) -> dict[Any, float]:
        """Return the sum of a histogram's values, by these attributes."""
        return {_key(point, keys): point.sum for point in self._of(name)}

    def attributes(self, name: str) -> list[dict[str, Any]]:
        """Return the attributes of each series."""
        return [dict(point.attributes) for point in self._of(name)]

    def close(self) -> None:
        """End the provider."""
        self.provider.shutdown()


def _key(point: Any, keys: tuple[str, ...]) -> Any:
    found = tuple(point.attributes.get(key) for key in keys)
    return found[0] if len(found) == 1 else found
