"""Which part of the observations of native histograms is between two values, by the rules of Prometheus 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms import cells
from spanglass_server.promql.histograms.rows import is_custom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms


@dataclass(frozen=True, slots=True)
class Fractions:
    """A fraction of each histogram; ``is_nan_observed``: observations of NaN are in none, but counted."""

    values: NDArray[np.float64]
    is_nan_observed: NDArray[np.bool_]


def fractions(histograms: Histograms, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> Fractions:
    """The part of all observations that is above ``lower`` and at most ``upper`` (one of each a row)."""
    values, nan_observed = np.full(len(histograms), np.nan), np.zeros(len(histograms), bool)
    own = is_custom(histograms)
    with np.errstate(all="ignore"):
        for part in cells.of(histograms):
            rows = part.rows
            sided = _with_start(cells.zero_sides(histograms, part), own[rows])
            in_buckets = part.count.sum(axis=1)
            has_nan = np.isnan(histograms.sum[rows])
            total = np.where(has_nan, in_buckets, histograms.count[rows])
            below = [_rank(sided, own[rows], limit[rows], total) for limit in (lower, upper)]
            values[rows] = (below[1] - below[0]) / histograms.count[rows]
            nan_observed[rows] = has_nan & (in_buckets < histograms.count[rows])
    valid = (histograms.count != 0) & ~np.isnan(lower) & ~np.isnan(upper)
    values[valid & (lower >= upper)] = 0.0
    values[~valid] = np.nan
    return Fractions(values, nan_observed & valid & (lower < upper))


def _with_start(part: cells.Cells, own: NDArray[np.bool_]) -> cells.Cells:
    """The first custom bucket begins at 0 if its upper bound is positive."""
    lower = np.where(own[:, None] & np.isneginf(part.lower) & (part.upper > 0), 0.0, part.lower)
    return cells.Cells(part.rows, part.size, lower, part.upper, part.count, part.is_zero)


def _rank(
    part: cells.Cells, own: NDArray[np.bool_], limit: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How many observations are below a limit."""
    each = limit[:, None]
    used = np.arange(part.count.shape[1]) < part.size[:, None]
    beyond = ((part.lower >= each) | (part.upper > each)) & used
    row, place = np.arange(len(limit)), beyond.argmax(axis=1)
    lower, upper, count = (column[row, place] for column in (part.lower, part.upper, part.count))
    before = np.cumsum(part.count, axis=1)[row, place] - count
    linear = np.where(np.isneginf(lower), count, before + count * (limit - lower) / (upper - lower))
    is_linear = own | part.is_zero[row, place]
    within = np.where(is_linear, linear, before + count * _on_log_scale(lower, upper, limit))
    rank = np.where(lower >= limit, before, within)
    return np.minimum(np.where(beyond.any(axis=1), rank, total), total)


def _on_log_scale(
    lower: NDArray[np.float64], upper: NDArray[np.float64], limit: NDArray[np.float64]
) -> NDArray[np.float64]:
    low, high, at = (np.log2(np.abs(column)) for column in (lower, upper, limit))
    return np.asarray(np.where(limit > 0, (at - low) / (high - low), 1 - (at - high) / (low - high)))
