"""The operators ``</`` and ``>/``: native histograms without the observations above or below a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms import bounds
from spanglass_server.promql.histograms.rows import compact, is_custom, owners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Buckets, Histograms

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Kept:
    """How many observations of each bucket are kept, and at which value on average they are."""

    count: Floats
    middle: Floats


def trimmed(histograms: Histograms, limit: Floats, *, is_upper: bool) -> Histograms:
    """Only the observations up to ``limit`` (``is_upper``) or from it on; ``limit`` is one number a row.

    A bucket that the limit cuts is split as for fractions. The sum is estimated anew from the middles of what is left;
    a histogram of which nothing is cut off stays as it is.
    """
    kept = {}
    with np.errstate(all="ignore"):
        for name, sign in (("positive", 1), ("negative", -1)):
            kept[name] = _side(histograms, getattr(histograms, name), limit, sign, is_upper=is_upper)
        zero = _zero(histograms, limit, is_upper=is_upper)
    count, total = zero.count.copy(), zero.count * zero.middle
    changed = zero.count != histograms.zero_count
    for name, part in kept.items():
        row, size = owners(getattr(histograms, name)), len(histograms)
        count += np.bincount(row, weights=part.count, minlength=size)
        total += np.bincount(row, weights=np.where(part.count == 0, 0.0, part.count * part.middle), minlength=size)
        changed[row[part.count != getattr(histograms, name).count]] = True
    return compact(
        replace(
            histograms,
            count=np.where(changed, count, histograms.count),
            sum=np.where(changed, total, histograms.sum),
            zero_count=zero.count,
            positive=replace(histograms.positive, count=kept["positive"].count),
            negative=replace(histograms.negative, count=kept["negative"].count),
        )
    )


def _side(histograms: Histograms, buckets: Buckets, limit: Floats, sign: int, *, is_upper: bool) -> _Kept:
    row = owners(buckets)
    low, high = bounds.of(histograms, buckets)
    lower, upper = (low, high) if sign > 0 else (-high, -low)
    own, at = is_custom(histograms)[row], limit[row]
    split = _split(lower, upper, buckets.count, at, own, is_upper=is_upper)
    whole = upper <= at if is_upper else lower >= at
    cut = (lower < at if is_upper else upper > at) & ~whole
    middle = np.where(whole, _middle(lower, upper, own, sign), split.middle)
    count = np.where(whole, buckets.count, np.where(cut, split.count, 0.0))
    return _Kept(count, np.where(whole | cut, middle, 0.0))


def _split(lower: Floats, upper: Floats, count: Floats, at: Floats, own: NDArray[np.bool_], *, is_upper: bool) -> _Kept:
    """A bucket that the limit is in."""
    below = (at - lower) / (upper - lower)
    log_low, log_high, log_at = (np.log2(np.abs(value)) for value in (lower, upper, at))
    on_log = np.where(at > 0, (log_at - log_low) / (log_high - log_low), 1 - (log_at - log_high) / (log_low - log_high))
    under = count * np.where(own, below, on_log)
    sign = np.where(own | (upper > 0), 1, -1)
    middle = _middle(lower, at, own, sign) if is_upper else _middle(at, upper, own, sign)
    part = _Kept(under if is_upper else count - under, middle)
    for edge, replaced in (
        (np.isposinf(upper), _Kept(np.where(is_upper, 0.0, count), at)),
        (np.isneginf(lower), _first_custom(upper, count, at, is_upper=is_upper)),
    ):
        part = _Kept(np.where(edge, replaced.count, part.count), np.where(edge, replaced.middle, part.middle))
    return part


def _first_custom(upper: Floats, count: Floats, at: Floats, *, is_upper: bool) -> _Kept:
    """The bucket from -Inf on, which begins at 0 if its end is positive."""
    inside = (at > 0 if is_upper else at >= 0) & (upper > 0) & np.isfinite(upper)
    if is_upper:
        low = upper <= 0
        return _Kept(np.where(inside, count * at / upper, np.where(low, count, 0.0)), np.where(inside, at / 2, at))
    return _Kept(np.where(inside, count * (1 - at / upper), 0.0), (at + upper) / 2)


def _zero(histograms: Histograms, limit: Floats, *, is_upper: bool) -> _Kept:
    filled = [_filled(buckets, len(histograms)) for buckets in (histograms.negative, histograms.positive)]
    lower = np.where(filled[1] & ~filled[0], 0.0, -histograms.zero_threshold)
    upper = np.where(filled[0] & ~filled[1], 0.0, histograms.zero_threshold)
    at = np.clip(limit, lower, upper)
    part = (at - lower) / (upper - lower) if is_upper else (upper - at) / (upper - lower)
    # A zero bucket without width is kept as a whole or not at all.
    flat = np.where(limit >= upper if is_upper else limit <= lower, 1.0, 0.0)
    part = np.where(lower == upper, flat, part)
    whole = (limit >= upper) & (limit > lower) if is_upper else limit <= lower
    is_filled = histograms.zero_count > 0
    count = np.where(whole | ~is_filled, histograms.zero_count, histograms.zero_count * part)
    return _Kept(count, np.where(is_filled, (lower + at) / 2 if is_upper else (at + upper) / 2, 0.0))


def _filled(buckets: Buckets, size: int) -> NDArray[np.bool_]:
    return np.asarray(np.bincount(owners(buckets)[buckets.count != 0], minlength=size) > 0)


def _middle(lower: Floats, upper: Floats, own: NDArray[np.bool_], sign: NDArray[np.int64] | int) -> Floats:
    geometric = sign * np.sqrt(np.abs(lower * upper))
    middle = np.where(own, (lower + upper) / 2, geometric)
    open_below, open_above = np.isinf(lower), np.isinf(upper)
    middle = np.where(open_above, lower, middle)
    middle = np.where(open_below, np.where(upper > 0, upper / 2, upper), middle)
    return np.where(open_below & open_above, 0.0, middle)
