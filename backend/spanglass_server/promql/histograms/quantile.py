"""Quantiles of native histograms, by the rules of Prometheus 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms import cells
from spanglass_server.promql.histograms.rows import is_custom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms

_MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A quantile of each histogram. Observations of NaN are in no bucket, but counted.

    ``is_nan_observed``: the quantile is among them, the value is NaN. ``is_skewed``: there are some, so that the value
    is higher than that of the others alone.
    """

    values: NDArray[np.float64]
    is_nan_observed: NDArray[np.bool_]
    is_skewed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Hit:
    """The bucket of each row that the rank falls into, ``rank`` observations above its lower bound."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    count: NDArray[np.float64]
    rank: NDArray[np.float64]
    reached: NDArray[np.bool_]


def quantiles(histograms: Histograms, q: NDArray[np.float64]) -> Quantiles:
    """The ``q``-quantile of each histogram (one q a row).

    Within a bucket observations are taken as spread evenly: on a logarithmic scale, but in the zero bucket and in
    custom buckets on a linear one.
    """
    values = np.full(len(histograms), np.nan)
    nan_observed, skewed = np.zeros(len(histograms), bool), np.zeros(len(histograms), bool)
    valid = (q >= 0) & (q <= 1) & (histograms.count != 0)
    has_nan = np.isnan(histograms.sum)
    with np.errstate(all="ignore"):
        for part in cells.of(histograms):
            rows = part.rows
            forward = has_nan[rows] | (q[rows] < _MIDDLE)
            hit = _hit(cells.zero_sides(histograms, part), histograms.count[rows], q[rows], forward)
            own = is_custom(histograms)[rows]
            values[rows] = _value(hit, own, nan_observed=has_nan[rows])
            edge = own & (np.isneginf(hit.lower) & (hit.upper <= 0) | np.isposinf(hit.upper) & ~np.isneginf(hit.lower))
            nan_observed[rows] = has_nan[rows] & ~hit.reached & ~edge
            skewed[rows] = has_nan[rows] & hit.reached & ~edge & (part.count.sum(axis=1) < histograms.count[rows])
    values[~valid] = np.nan
    values[q < 0], values[q > 1] = -np.inf, np.inf
    return Quantiles(values, nan_observed & valid, skewed & valid)


def _hit(part: cells.Cells, total: NDArray[np.float64], q: NDArray[np.float64], forward: NDArray[np.bool_]) -> _Hit:
    """From below for low quantiles, from above for high ones, so that the few observations beyond are counted."""
    rank = np.where(forward, q, 1 - q) * total
    up = np.cumsum(part.count, axis=1)
    down = np.cumsum(part.count[:, ::-1], axis=1)[:, ::-1]
    filled = part.count != 0
    from_below = (up >= rank[:, None]) & filled
    from_above = (down >= rank[:, None]) & filled
    row = np.arange(len(rank))
    width = part.count.shape[1]
    last = np.maximum(part.size - 1, 0)
    low = np.where(from_below.any(axis=1), from_below.argmax(axis=1), last)
    high = np.where(from_above.any(axis=1), width - 1 - from_above[:, ::-1].argmax(axis=1), 0)
    place = np.where(forward, low, high)
    seen = np.minimum(np.where(forward, up[row, place], down[row, place]), total)
    count = part.count[row, place]
    return _Hit(
        part.lower[row, place],
        part.upper[row, place],
        count,
        np.where(forward, rank - (seen - count), seen - rank),
        seen >= rank,
    )


def _value(hit: _Hit, own: NDArray[np.bool_], *, nan_observed: NDArray[np.bool_]) -> NDArray[np.float64]:
    first = own & np.isneginf(hit.lower)
    lower = np.where(first, 0.0, hit.lower)
    fraction = hit.rank / hit.count
    linear = lower + (hit.upper - lower) * fraction
    value = np.where(own | ((lower <= 0) & (hit.upper >= 0)), linear, _on_log_scale(hit, fraction))
    value = np.where(hit.reached, value, np.where(nan_observed, np.nan, hit.upper))
    value = np.where(own & ~first & np.isposinf(hit.upper), hit.lower, value)
    return np.where(first & (hit.upper <= 0), hit.upper, value)


def _on_log_scale(hit: _Hit, fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.log2(np.abs(hit.lower)), np.log2(np.abs(hit.upper))
    positive = np.exp2(low + (high - low) * fraction)
    negative = -np.exp2(high + (low - high) * (1 - fraction))
    return np.where(hit.lower > 0, positive, negative)
