"""Time that grows with a number that spans carry: a line through the logarithms of both, from sums."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from spanglass_server.times import NS_PER_MS

#: So many spans whose numbers differ by so many times, and a line that explains so much of the spread.
_LEAST, _LEAST_TIMES, _LEAST_EXPLAINED = 50, 8.0, 0.5
#: Of twice the number, the duration is at least 2 ** slope times: half of it is nearly in proportion to its root.
_LEAST_SLOPE: Final = 0.5
#: The largest take longer than the smallest by so much.
_NOTICED_NS: Final = 50 * NS_PER_MS
#: The logarithm of ten days in nanoseconds: no span takes as long, the line only meets one number that is far off.
_LARGEST: Final = math.log(864e12)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over spans: ``x`` is the logarithm of their number, ``y`` that of their duration in nanoseconds."""

    n: int
    low: float
    high: float
    x: float
    y: float
    xx: float
    yy: float
    xy: float

    def plus(self, other: Sums) -> Sums:
        """Return the sums over the spans of both."""
        return Sums(
            self.n + other.n, min(self.low, other.low), max(self.high, other.high),
            self.x + other.x, self.y + other.y, self.xx + other.xx, self.yy + other.yy, self.xy + other.xy,
        )  # fmt: skip


class Growth(NamedTuple):
    """Durations as the line has them for the smallest and the largest number, and how they grow between."""

    slope: float
    small: float
    large: float
    small_ns: float
    large_ns: float


def growth(sums: Sums) -> Growth | None:
    """Return how durations grow with a number; None if they do not, or if that is not certain."""
    if sums.n < _LEAST or sums.high - sums.low < math.log(_LEAST_TIMES):
        return None
    spread_x = sums.xx - sums.x * sums.x / sums.n
    spread_y = sums.yy - sums.y * sums.y / sums.n
    shared = sums.xy - sums.x * sums.y / sums.n
    if spread_x <= 0 or spread_y <= 0 or shared <= 0:
        return None
    slope, explained = shared / spread_x, shared * shared / (spread_x * spread_y)
    start = (sums.y - slope * sums.x) / sums.n
    small, large = start + slope * sums.low, start + slope * sums.high
    if slope < _LEAST_SLOPE or explained < _LEAST_EXPLAINED or large > _LARGEST:
        return None
    small_ns, large_ns = math.exp(small), math.exp(large)
    if large_ns - small_ns < _NOTICED_NS:
        return None
    return Growth(slope, math.exp(sums.low), math.exp(sums.high), small_ns, large_ns)
