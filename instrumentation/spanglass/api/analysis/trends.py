"""Where figures are going: a straight line through what was measured, and when it reaches a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spanglass.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Fewer points say nothing about a direction.
MIN_POINTS = 5
#: Share of the variance that the line must explain to be called a trend.
_EXPLAINS = 0.5


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through points. ``per_hour`` is its slope; ``fit`` from 0 to 1 is how well it fits (R squared).

    ``reaches_limit_s``: in how many seconds it reaches the limit that was given, None if it does not.
    """

    direction: Literal["rising", "falling", "steady", "unknown"]
    per_hour: float = 0.0
    fit: float = 0.0
    reaches_limit_s: float | None = None


def trend_of(
    times_ns: Sequence[int], values: Sequence[float], *, least_change: float = 0.0, limit: float | None = None
) -> Trend:
    """The trend of values at times, by least squares; unknown with fewer than five points.

    A change over the whole time of less than ``least_change``, or one that the line explains badly, is steady.
    """
    if len(values) < MIN_POINTS or times_ns[-1] <= times_ns[0]:
        return Trend("unknown")
    seconds = [(time_ns - times_ns[0]) / NS_PER_S for time_ns in times_ns]
    slope, fit = _line(seconds, values)
    change = slope * seconds[-1]
    if fit < _EXPLAINS or abs(change) < least_change or slope == 0:
        return Trend("steady", slope * 3600, fit)
    left = None if limit is None else (limit - values[-1]) / slope
    return Trend("rising" if slope > 0 else "falling", slope * 3600, fit, left if left is None or left > 0 else None)


def _line(seconds: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Slope a second, and R squared."""
    count = len(values)
    middle_s, middle = sum(seconds) / count, sum(values) / count
    spread = sum((each - middle_s) ** 2 for each in seconds)
    both = sum((at - middle_s) * (value - middle) for at, value in zip(seconds, values, strict=True))
    variance = sum((value - middle) ** 2 for value in values)
    if not spread or not variance:
        return 0.0, 0.0
    return both / spread, both * both / (spread * variance)
