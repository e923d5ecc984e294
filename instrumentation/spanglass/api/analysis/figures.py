"""Named numbers of one moment: what monitors measure, what rules are checked against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass.api.collector import Distribution, MetricSnapshot
from spanglass.errors import CollectionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Figures", "numbers_of"]

#: What of a histogram becomes a number of its own: ``p95_<name>``.
_OF_HISTOGRAMS = {"min": "minimum", "max": "maximum", "p50": "p50", "p95": "p95", "p99": "p99", "count": "count"}


@dataclass(frozen=True, slots=True)
class Figures(Mapping[str, float]):
    """Numbers by name, in base units: seconds, bytes, shares of 1. NaN where something is not known.

    ``labels`` say what they are of, such as ``{"service": "shop"}``; ``time_ns`` is when they were read, since 1970.
    """

    numbers: Mapping[str, float]
    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    time_ns: int = 0

    def __getitem__(self, name: str) -> float:
        return self.numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def with_more(self, other: Figures) -> Figures:
        """Both together; of a name that both have the other's number counts."""
        return Figures(
            {**self.numbers, **other.numbers},
            {**self.units, **other.units},
            {**self.labels, **other.labels},
            max(self.time_ns, other.time_ns),
        )


def numbers_of(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """The numbers of figures, of a plain mapping, or of ``MetricsCollector.get_metrics()``.

    A histogram ``x`` becomes ``x`` and ``avg_x`` (its mean), ``min_x``, ``max_x``, ``p50_x``, ``p95_x``, ``p99_x`` and
    ``count_x``; a gauge of several series their largest. None and NaN are no data. ``CollectionError`` for what is no
    number, naming it.
    """
    if not isinstance(metrics, Mapping):
        raise CollectionError(f"metrics are names with numbers, such as {{'error_rate': 0.01}}, not {metrics!r}")
    numbers: dict[str, float | None] = {}
    for name, value in metrics.items():
        if isinstance(value, MetricSnapshot):
            numbers |= _of_snapshot(name, value)
        elif isinstance(value, Distribution):
            numbers |= _of_distribution(name, value)
        elif value is None or isinstance(value, int | float):
            numbers[name] = None if value is None or math.isnan(value) else float(value)
        else:
            raise CollectionError(f"{name!r} is {value!r}, and must be a number, or None where there is no data")
    return numbers


def _of_snapshot(name: str, snapshot: MetricSnapshot) -> dict[str, float | None]:
    plain = [each.value for each in snapshot.series if not isinstance(each.value, Distribution)]
    if plain:
        return {name: float(sum(plain) if snapshot.kind == "counter" else max(plain))}
    told = [each.value for each in snapshot.series if isinstance(each.value, Distribution)]
    return _of_distribution(name, max(told, key=lambda each: each.p95)) if told else {}


def _of_distribution(name: str, found: Distribution) -> dict[str, float | None]:
    mean = found.total / found.count if found.count else None
    more = {f"{prefix}_{name}": float(getattr(found, attribute)) for prefix, attribute in _OF_HISTOGRAMS.items()}
    return {name: mean, f"avg_{name}": mean, **(more if found.count else {})}
