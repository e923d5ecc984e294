"""Durations as counts of buckets, eight for each doubling, and whether one set of them is slower than another."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Buckets for each doubling; ``durations.sql`` has the same number.
PER_DOUBLING: Final = 8
#: What is compared, and how many requests each side needs for it.
_COMPARED: Final = ((0.5, 50), (0.95, 200))
#: Slower is so many times as long, and by so much that anybody notices.
_TIMES, _NOTICED_NS = 1.3, 10 * NS_PER_MS
#: How far quantiles may be off by chance, in standard deviations of their rank: once in 700 comparisons.
_DEVIATIONS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Durations:
    """How many requests lie in which bucket: number ``b`` holds those from ``2 ** (b / 8)`` nanoseconds on."""

    buckets: Mapping[int, int] = field(default_factory=dict)
    total_ns: float = 0.0

    @property
    def count(self) -> int:
        """How many requests."""
        return sum(self.buckets.values())

    @property
    def mean_ns(self) -> float:
        """Their mean; 0 without any."""
        return self.total_ns / self.count if self.buckets else 0.0

    def bucket_at(self, rank: float) -> int:
        """The bucket that holds the request of a rank, 0 being the quickest; the last for ranks beyond."""
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if rank < seen:
                return bucket
        return max(self.buckets)

    def quantile_ns(self, q: float) -> float:
        """A quantile, to within 4.5 %: the middle of its bucket."""
        return edge_ns(self.bucket_at(q * self.count) + 0.5)


class Slower(NamedTuple):
    """How much slower: of which quantile, from what to what, and what each request lost on average."""

    quantile: float
    before_ns: float
    now_ns: float
    lost_ns: float


def edge_ns(bucket: float) -> float:
    """Where a bucket begins."""
    return float(2 ** (bucket / PER_DOUBLING))


def together(all_of: Iterable[Durations]) -> Durations:
    """Return the requests of several."""
    buckets: Counter[int] = Counter()
    total_ns = 0.0
    for durations in all_of:
        buckets.update(durations.buckets)
        total_ns += durations.total_ns
    return Durations(dict(buckets), total_ns)


def slower(now: Durations, before: Durations) -> Slower | None:
    """Return how much slower requests are than those before, if that is no chance; None if they are not."""
    for quantile, least in _COMPARED:
        if min(now.count, before.count) < least:
            continue
        low_ns = edge_ns(now.bucket_at(_rank(now.count, quantile, -_DEVIATIONS)))
        high_ns = edge_ns(before.bucket_at(_rank(before.count, quantile, _DEVIATIONS)) + 1)
        now_ns, before_ns = now.quantile_ns(quantile), before.quantile_ns(quantile)
        if low_ns > high_ns and now_ns >= _TIMES * before_ns and now_ns - before_ns >= _NOTICED_NS:
            return Slower(quantile, before_ns, now_ns, max(0.0, now.mean_ns - before.mean_ns))
    return None


def _rank(count: int, quantile: float, deviations: float) -> float:
    rank = count * quantile + deviations * math.sqrt(count * quantile * (1 - quantile))
    return min(max(rank, 0.0), count - 1.0)
