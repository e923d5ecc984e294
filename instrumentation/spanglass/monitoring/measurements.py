"""Measurements, and what becomes of many of them: aggregates over time and dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spanglass.errors import CollectionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Aggregate", "Aggregator", "Measurement"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number. ``metric_type`` is such as cpu, memory, request; ``time_ns`` 0 stands for now."""

    metric_type: str
    name: str
    value: float
    unit: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    time_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """All measurements of one name and these dimensions in the time from ``start_ns`` up to before ``end_ns``."""

    metric_type: str
    name: str
    unit: str
    dimensions: Mapping[str, str]
    start_ns: int
    end_ns: int
    count: int
    total: float
    minimum: float
    maximum: float
    last: float
    last_ns: int

    @property
    def average(self) -> float:
        """The mean of the values."""
        return self.total / self.count


class Aggregator:
    """Puts measurements together by windows of time and by some of their dimensions.

    ``by`` are the dimensions that are kept; None keeps all of them. Without ``window_ns`` there is one window, as long
    as what is put into it.
    """

    def __init__(self, *, window_ns: int | None, by: Sequence[str] | None = None) -> None:
        if window_ns is not None and window_ns <= 0:
            raise CollectionError(f"an aggregate is over more than no time, not {window_ns} ns")
        self._window_ns = window_ns
        self._by = None if by is None else tuple(by)

    def aggregate(self, measurements: Iterable[Measurement]) -> list[Aggregate]:
        """Put measurements together; those that are no finite numbers are left out."""
        return self.merge(_single(each) for each in measurements if math.isfinite(each.value))

    def merge(self, aggregates: Iterable[Aggregate]) -> list[Aggregate]:
        """Put aggregates together, of shorter times or more dimensions, in the order in which they come first."""
        found: dict[tuple[object, ...], Aggregate] = {}
        for each in aggregates:
            dimensions = {
                name: value for name, value in sorted(each.dimensions.items()) if self._by is None or name in self._by
            }
            start_ns, end_ns = each.start_ns, each.end_ns
            if self._window_ns is not None:
                start_ns -= start_ns % self._window_ns
                end_ns = start_ns + self._window_ns
            window = start_ns if self._window_ns is not None else 0
            key = (each.metric_type, each.name, window, *dimensions.items())
            placed = replace(each, dimensions=dimensions, start_ns=start_ns, end_ns=end_ns)
            found[key] = _both(found[key], placed) if key in found else placed
        return list(found.values())


def _single(each: Measurement) -> Aggregate:
    return Aggregate(
        metric_type=each.metric_type,
        name=each.name,
        unit=each.unit,
        dimensions=each.dimensions,
        start_ns=each.time_ns,
        end_ns=each.time_ns + 1,
        count=1,
        total=each.value,
        minimum=each.value,
        maximum=each.value,
        last=each.value,
        last_ns=each.time_ns,
    )


def _both(first: Aggregate, second: Aggregate) -> Aggregate:
    newest = second if second.last_ns >= first.last_ns else first
    return replace(
        first,
        start_ns=min(first.start_ns, second.start_ns),
        end_ns=max(first.end_ns, second.end_ns),
        count=first.count + second.count,
        total=first.total + second.total,
        minimum=min(first.minimum, second.minimum),
        maximum=max(first.maximum, second.maximum),
        last=newest.last,
        last_ns=newest.last_ns,
    )
