"""Quantiles of merged histograms, with explicit or exponential buckets. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
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
        """Return the value below which this fraction of the bucket's observations lies."""
        if self.low == self.high:
            return self.low
        if self.is_exponential:
            return self.low * math.pow(self.high / self.low, fraction)
        return self.low + (self.high - self.low) * fraction

    def within(self, low: float | None, high: float | None) -> Bucket:
        """Cut the bucket to the values that are possible: none below ``low``, none above ``high`` (None: unknown)."""
        least = -math.inf if low is None else low
        greatest = math.inf if high is None else max(high, least)
        return replace(self, low=min(max(self.low, least), greatest), high=min(max(self.high, least), greatest))


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
        """List the buckets from the least value to the greatest.

        The zero bucket reaches to both sides of zero only where values of both signs (or of none) were observed.
        """
        zero, positive = self._above_zero(self.positive)
        zero_too, negative = self._above_zero(self.negative)
        mirrored = [
            Bucket(-bucket.high, -bucket.low, bucket.count, is_exponential=True) for bucket in reversed(negative)
        ]
        has_positive, has_negative = (any(side.values()) for side in (self.positive, self.negative))
        low = 0.0 if has_positive and not has_negative else -self.zero_threshold
        high = 0.0 if has_negative and not has_positive else self.zero_threshold
        middle = Bucket(low, high, self.zero_count + zero + zero_too)
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
        """Return base^index, at the edges of floating point its largest and smallest values."""
        exponent = math.ldexp(index, -self.scale)
        return math.pow(2.0, min(max(exponent, -1074.0), 1023.99))


def finite(bounds: Sequence[float], counts: Sequence[float]) -> tuple[tuple[float, ...], list[float]] | None:
    """Fold away infinite bounds, whose buckets join their neighbours; None for bounds that are no bounds.

    Bounds must rise; a bucket up to -inf is empty by definition, one up to +inf is the last one.
    """
    if not counts or len(counts) != len(bounds) + 1 or None in bounds:
        return None
    kept, folded = [], [counts[0]]
    for bound, count in zip(bounds, counts[1:], strict=True):
        if math.isinf(bound):
            folded[-1] += count
        else:
            kept.append(bound)
            folded.append(count)
    if not kept or any(not low < high for low, high in pairwise(bounds)):
        return None
    return (tuple(kept), folded) if all(map(math.isfinite, kept)) else None


def explicit_buckets(
    bounds: Sequence[float], counts: Sequence[float], low: float | None = None, high: float | None = None
) -> list[Bucket]:
    """List explicit buckets, (b[i-1], b[i]], cut to the least and greatest observation where they are known.

    Without them the first bucket begins at zero or at its bound, and the last bound stands for all past it (as in
    Prometheus).
    """
    if not bounds:
        return []
    first = min(0.0, bounds[0]) if low is None else min(low, bounds[0])
    last = bounds[-1] if high is None else max(high, bounds[-1])
    edges = [first, *bounds, last]
    return [Bucket(*edge, count).within(low, high) for edge, count in zip(pairwise(edges), counts, strict=True)]


def merge(parts: Sequence[Sequence[Bucket]]) -> list[Bucket]:
    """Merge lists of buckets to one, in order.

    Where bounds differ, each bucket is cut at all bounds, its observations spread evenly.
    """
    parts = [part for part in parts if part]
    if len(parts) <= 1:
        return [bucket for part in parts for bucket in part]
    buckets = [bucket for part in parts for bucket in part]
    edges = sorted({edge for bucket in buckets for edge in (bucket.low, bucket.high)})
    merged: dict[tuple[float, float], float] = {}
    for bucket in buckets:
        for piece in _cut(bucket, edges):
            merged[piece.low, piece.high] = merged.get((piece.low, piece.high), 0.0) + piece.count
    return [Bucket(low, high, count) for (low, high), count in sorted(merged.items())]


def _cut(bucket: Bucket, edges: Iterable[float]) -> Iterator[Bucket]:
    if bucket.low == bucket.high:
        yield bucket
        return
    inside = [edge for edge in edges if bucket.low <= edge <= bucket.high]
    for low, high in pairwise(inside):
        yield Bucket(low, high, bucket.count * (high - low) / (bucket.high - bucket.low))


def quantile(buckets: Sequence[Bucket], q: float) -> float | None:
    """Return the value at quantile ``q`` (0 to 1), interpolated inside its bucket; None without observations."""
    filled = [bucket for bucket in buckets if bucket.count > _NOTHING]
    if not filled:
        return None
    rank, below = q * sum(bucket.count for bucket in filled), 0.0
    for bucket in filled:
        if below + bucket.count >= rank:
            return bucket.at((rank - below) / bucket.count)
        below += bucket.count
    return filled[-1].high
