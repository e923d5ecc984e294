"""Statistics of durations in bounded memory: quantiles from a sketch, rates over a sliding window.

The sketch is a DDSketch: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
Relative-Error Guarantees", PVLDB 12(12), 2019, section 2. Nothing here locks: whoever shares an object between threads
holds a lock around each call.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "OperationStatistics",
    "OperationTally",
    "QuantileSketch",
    "SlidingRate",
    "combined",
]

#: A quantile is at most this share away from the true sample: 1 %.
RELATIVE_ERROR = 0.01
#: Most buckets of one sign. At 1 % they span a factor of 10^17; what is smaller than that, beside the largest value,
#: keeps its place in the order but not its size.
MAX_BUCKETS = 2048

#: Smaller magnitudes count as zero: a picosecond, if the values are seconds.
SMALLEST = 1e-12
#: Larger magnitudes count as this one.
LARGEST = 1e300

_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(_GAMMA)
_CENTER = 2 / (1 + _GAMMA)  # of a bucket, as a share of its upper end: equally far from both ends, relatively
_NS_PER_S = 1_000_000_000


class QuantileSketch:
    """A distribution of finite numbers: exact count, total, minimum and maximum; quantiles within ``RELATIVE_ERROR``.

    Bucket i holds the values above gamma^(i-1) and up to gamma^i. It takes 32 KiB at most, 2 KiB as a rule.
    """

    __slots__ = ("_negative", "_positive", "_zeros", "count", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf
        self._zeros = 0
        self._positive = _Buckets()
        self._negative = _Buckets()

    def add(self, value: float) -> None:
        """Take one value; ``ValueError`` if it is not finite."""
        magnitude = abs(value)
        if not magnitude < math.inf:
            raise ValueError(f"{value} has no place in a distribution: only finite numbers have")
        if magnitude < SMALLEST:
            self._zeros += 1
        else:
            buckets = self._positive if value > 0 else self._negative
            buckets.add(math.ceil(math.log(min(magnitude, LARGEST)) / _LOG_GAMMA))
        self.count += 1
        self.total += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)

    def merge(self, other: QuantileSketch) -> None:
        """Take all that another sketch has taken; the result is that of one sketch which saw all values."""
        for mine, theirs in ((self._positive, other._positive), (self._negative, other._negative)):
            for index, count in theirs.items():
                mine.add(index, count)
        self._zeros += other._zeros
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)

    def quantiles(self, *shares: float) -> tuple[float, ...]:
        """Give for each share, 0 to 1, the value of rank ``floor(share * (count - 1))``; NaN where there is none."""
        if not self.count:
            return (math.nan,) * len(shares)
        steps = list(self._ascending())
        return tuple(self._at(steps, share * (self.count - 1)) for share in shares)

    def _at(self, steps: list[tuple[float, int]], rank: float) -> float:
        if rank <= 0:
            return self.minimum
        seen = 0
        for value, count in steps:
            seen += count
            if seen > rank:
                return min(max(value, self.minimum), self.maximum)
        return self.maximum

    def _ascending(self) -> Iterable[tuple[float, int]]:
        """Return the center and the count of each bucket, from the smallest value to the largest."""
        for index, count in reversed(list(self._negative.items())):
            yield -_center(index), count
        if self._zeros:
            yield 0.0, self._zeros
        for index, count in self._positive.items():
            yield _center(index), count


class _Buckets:
    """Counts of neighbouring buckets; those below the highest ``MAX_BUCKETS`` fall into the lowest that is kept.

    A dense array: 16 KiB at most, where a dict of as many buckets takes ten times that.
    """

    __slots__ = ("_counts", "_lowest")

    def __init__(self) -> None:
        self._lowest = 0  # index of the first count
        self._counts = array("Q")

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, index: int, count: int = 1) -> None:
        if not self._counts:
            self._lowest = index
        self._reach(index)
        self._counts[max(index - self._lowest, 0)] += count

    def items(self) -> Iterator[tuple[int, int]]:
        """Give index and count of the buckets that are not empty, ascending."""
        return ((index, count) for index, count in enumerate(self._counts, self._lowest) if count)

    def _reach(self, index: int) -> None:
        """Have a place for this index, unless it is too far below the others."""
        place, size = index - self._lowest, len(self._counts)
        if place >= size:
            self._counts.extend(repeat(0, min(place - size + 1, MAX_BUCKETS)))
            self._raise_lowest(index - MAX_BUCKETS + 1, size)
        elif place < 0 and size < MAX_BUCKETS:
            missing = min(-place, MAX_BUCKETS - size)
            self._counts = array("Q", repeat(0, missing)) + self._counts
            self._lowest -= missing

    def _raise_lowest(self, lowest: int, used: int) -> None:
        """Drop the places below ``lowest``, whose counts go into it; ``used`` places may have counts."""
        drop = lowest - self._lowest
        if drop <= 0:
            return
        fallen = sum(self._counts[: min(drop, used)])
        kept = self._counts[drop:used] if drop < used else array("Q")
        kept.extend(repeat(0, MAX_BUCKETS - len(kept)))
        kept[0] += fallen
        self._lowest, self._counts = lowest, kept


def _center(index: int) -> float:
    return math.exp(index * _LOG_GAMMA) * _CENTER


class SlidingRate:
    """How often something happened, per second, over the last window: a ring of counts by slot of time.

    ``start_ns`` is when counting began, on any clock; all later times are of the same one.
    """

    __slots__ = ("_counts", "_slot_ns", "_slots", "_start_ns")

    def __init__(self, window_ns: int, start_ns: int, slots: int = 60) -> None:
        self._slot_ns = max(window_ns // slots, 1)
        self._start_ns = start_ns
        self._counts = [0] * slots
        self._slots = [-1] * slots  # which slot of time each place of the ring counts

    def add(self, now_ns: int) -> None:
        """Count one."""
        slot = now_ns // self._slot_ns
        place = slot % len(self._counts)
        if self._slots[place] != slot:
            self._slots[place] = slot
            self._counts[place] = 0
        self._counts[place] += 1

    def per_second(self, now_ns: int) -> float:
        """Return the rate; a ring that is younger than its window divides by its age, by one slot at least."""
        newest = now_ns // self._slot_ns
        oldest = newest - len(self._counts) + 1
        counted = sum(c for slot, c in zip(self._slots, self._counts, strict=True) if oldest <= slot <= newest)
        covered_ns = now_ns - max(oldest * self._slot_ns, self._start_ns)
        return counted * _NS_PER_S / max(covered_ns, self._slot_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStatistics:
    """What is known of the completed runs of an operation; durations in seconds, NaN where nothing has completed."""

    count: int
    errors: int
    average_s: float
    min_s: float
    max_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    throughput_per_s: float
    """Completed runs per second over the sliding window."""

    @property
    def error_rate(self) -> float:
        """Share of the runs that failed, from 0 to 1; 0 where nothing has completed."""
        return self.errors / self.count if self.count else 0.0

    @property
    def avg_response_time(self) -> float:
        """``average_s`` by another name: seconds."""
        return self.average_s


class OperationTally:
    """The completed runs of one operation."""

    __slots__ = ("errors", "rate", "sketch")

    def __init__(self, window_ns: int, start_ns: int) -> None:
        self.sketch = QuantileSketch()
        self.errors = 0
        self.rate = SlidingRate(window_ns, start_ns)

    def add(self, duration_s: float, now_ns: int, *, failed: bool) -> None:
        """Count one run that ended now."""
        self.sketch.add(duration_s)
        self.rate.add(now_ns)
        self.errors += failed


def combined(tallies: Iterable[OperationTally], now_ns: int) -> OperationStatistics:
    """Return the statistics of one or more operations taken together."""
    sketch, errors, throughput = QuantileSketch(), 0, 0.0
    for tally in tallies:
        sketch.merge(tally.sketch)
        errors += tally.errors
        throughput += tally.rate.per_second(now_ns)
    p50, p95, p99 = sketch.quantiles(0.5, 0.95, 0.99)
    return OperationStatistics(
        count=sketch.count,
        errors=errors,
        average_s=sketch.total / sketch.count if sketch.count else math.nan,
        min_s=sketch.minimum if sketch.count else math.nan,
        max_s=sketch.maximum if sketch.count else math.nan,
        p50_s=p50,
        p95_s=p95,
        p99_s=p99,
        throughput_per_s=throughput,
    )
