"""Quantiles of merged histograms, with explicit or exponential buckets. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: What is left of a bucket that was added and taken away again in floating point: no observation.
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Bucket:
    """``count`` observations between two values; ``is_exponential`` says how they are spread between them."""

    low: float
    high: float
    count: float
    is_exponential: bool = False

    def at(self, fraction: float) -> float:
        """Give the value below which this fraction of the bucket's observations lies."""
        if self.is_exponential:
            return self.low * math.pow(self.high / self.low, fraction)
        return self.low + (self.high - self.low) * fraction


@dataclass(slots=True)
class Exponential:
    """A merged exponential histogram: counts by index, both signs, at one scale (data model, "ExponentialHistogram").

    The bucket ``i`` holds values in (base^i, base^(i+1)], with base = 2^(2^-scale).
    """

    scale: int
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: dict[int, float] = field(default_factory=dict)
    negative: dict[int, float] = field(default_factory=dict)

    def buckets(self) -> list[Bucket]:
        """List the buckets from the least value to the greatest."""
        zero, positive = self._above_zero(self.positive)
        zero_too, negative = self._above_zero(self.negative)
        mirrored = [
            Bucket(-bucket.high, -bucket.low, bucket.count, is_exponential=True) for bucket in reversed(negative)
        ]
        middle = Bucket(-self.zero_threshold, self.zero_threshold, self.zero_count + zero + zero_too)
        return [*mirrored, middle, *positive]

    def _above_zero(self, counts: dict[int, float]) -> tuple[float, list[Bucket]]:
        """Split one side into what falls in the zero bucket, which widens when histograms merge, and the rest."""
        inside, outside = 0.0, []
        for index, count in sorted(counts.items()):
            low, high = self._bound(index), self._bound(index + 1)
            if high <= self.zero_threshold:
                inside += count
            else:
                outside.append(Bucket(low, high, count, is_exponential=True))
        return inside, outside

    def _bound(self, index: int) -> float:
        """Give base^index, at the edges of floating point its largest and smallest values."""
        exponent = math.ldexp(index, -self.scale)
        return math.pow(2.0, min(max(exponent, -1074.0), 1023.99))


def explicit_buckets(bounds: Sequence[float], counts: Sequence[float]) -> list[Bucket]:
    """List explicit buckets, (b[i-1], b[i]]: the first begins at zero or at its bound, the last ends at its bound.

    An observation past the last bound is only known to be larger, so the last bound stands for it (as in Prometheus).
    """
    if not bounds:
        return []
    edges = [min(0.0, bounds[0]), *bounds, bounds[-1]]
    return [Bucket(low, high, count) for (low, high), count in zip(pairwise(edges), counts, strict=True)]


def merge_explicit(parts: Iterable[tuple[Sequence[float], Sequence[float]]]) -> list[Bucket]:
    """Merge histograms (bounds, counts) to one list of buckets.

    Where bounds differ, each bucket is cut at all bounds, its observations spread evenly.
    """
    parts = [(tuple(bounds), counts) for bounds, counts in parts if bounds]
    if len({bounds for bounds, _ in parts}) == 1:
        return explicit_buckets(
            parts[0][0], [sum(column) for column in zip(*(counts for _, counts in parts), strict=True)]
        )
    buckets = [bucket for bounds, counts in parts for bucket in explicit_buckets(bounds, counts)]
    edges = sorted({edge for bucket in buckets for edge in (bucket.low, bucket.high)})
    merged: dict[tuple[float, float], float] = {}
    for bucket in buckets:
        for piece in _cut(bucket, edges):
            merged[piece.low, piece.high] = merged.get((piece.low, piece.high), 0.0) + piece.count
    return [Bucket(low, high, count) for (low, high), count in sorted(merged.items())]


def _cut(bucket: Bucket, edges: Sequence[float]) -> Iterator[Bucket]:
    if bucket.low == bucket.high:
        yield bucket
        return
    inside = [edge for edge in edges if bucket.low <= edge <= bucket.high]
    for low, high in pairwise(inside):
        yield Bucket(low, high, bucket.count * (high - low) / (bucket.high - bucket.low))


def quantile(buckets: Sequence[Bucket], q: float) -> float | None:
    """Give the value at quantile ``q`` (0 to 1), interpolated inside its bucket; None without observations."""
    filled = [bucket for bucket in buckets if bucket.count > _NOTHING]
    if not filled:
        return None
    rank, below = q * sum(bucket.count for bucket in filled), 0.0
    for bucket in filled:
        if below + bucket.count >= rank:
            return bucket.at((rank - below) / bucket.count)
        below += bucket.count
    return filled[-1].high
