"""Durations of calls as a few points of their distribution, which can be joined."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The quantiles that storage is asked for; each point stands for the twentieth of the calls up to it.
QUANTILES = tuple(step / 20 for step in range(1, 21))
_P95 = 0.95


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls, how many failed, and points of their durations: (nanoseconds, how many calls it stands for)."""

    calls: float = 0
    errors: float = 0
    points: tuple[tuple[int, float], ...] = ()

    @property
    def p95_ns(self) -> int | None:
        """The 95th percentile: exact of one group, estimated of joined ones; None without calls."""
        ordered = sorted(self.points)
        wanted = _P95 * sum(weight for _, weight in ordered) - 1e-6
        reached = accumulate(weight for _, weight in ordered)
        return next((value for (value, _), so_far in zip(ordered, reached, strict=True) if so_far >= wanted), None)

    def times(self, factor: float) -> Figures:
        """So many times as many calls and errors, as long as these."""
        points = tuple((value, weight * factor) for value, weight in self.points)
        return Figures(self.calls * factor, self.errors * factor, points)


def measured(calls: float, errors: float, points: Iterable[int] | None) -> Figures:
    """Figures of one group, with its durations at ``QUANTILES``."""
    values = tuple(points or ())
    return Figures(calls, errors, tuple((value, calls / len(values)) for value in values))


def joined(parts: Iterable[Figures]) -> Figures:
    """Several groups as one."""
    held = tuple(parts)
    points = tuple(point for part in held for point in part.points)
    return Figures(sum(part.calls for part in held), sum(part.errors for part in held), points)
