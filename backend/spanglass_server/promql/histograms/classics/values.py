"""Quantiles and fractions of classic histograms, by the rules of Prometheus 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.histograms.classics.buckets import Cells

#: Counts that differ by less, relatively, differ by rounding alone.
_TOLERANCE: Final = 1e-12
_SMALLEST: Final = np.finfo(np.float64).tiny
_FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class Forced:
    """Where counts went down from bucket to bucket and were kept at the higher one, in all cells together."""

    is_forced: NDArray[np.bool_]
    lowest: float
    highest: float
    most: float


def monotonic(cells: Cells) -> tuple[NDArray[np.float64], Forced]:
    """The counts without decreases, and without differences that are but rounding, and what was changed."""
    counts = cells.counts
    with np.errstate(invalid="ignore"):
        risen = np.maximum.accumulate(counts, axis=1)
        unsure = np.flatnonzero(_nearly_equal(risen[:, :-1], counts[:, 1:]).any(axis=1) | np.isnan(risen[:, -1]))
        risen[unsure] = _stepped(counts[unsure])
        before = risen[:, :-1]
        fallen = counts[:, 1:] < before
        fallen[fallen] = ~_almost_equal(before[fallen], counts[:, 1:][fallen])
    by = np.where(fallen, before - counts[:, 1:], 0.0)
    at = cells.bounds[1:][fallen.any(axis=0)]
    return risen, Forced(
        np.asarray(fallen.any(axis=1)), at.min(initial=np.inf), at.max(initial=-np.inf), float(by.max(initial=0.0))
    )


def quantile(cells: Cells, q: NDArray[np.float64]) -> tuple[NDArray[np.float64], Forced]:
    """The quantile of each cell (one q each), spread evenly within a bucket; the first begins at 0 if it is above.

    NaN if there is no bucket up to +Inf, no other one, or no observation. In the last bucket it is the highest finite
    bound.
    """
    counts, forced = monotonic(cells)
    bounds, size = cells.bounds, len(cells.bounds)
    values = np.full(len(q), np.nan)
    valid = (q >= 0) & (q <= 1)
    if np.isposinf(bounds[-1]) and size >= _FEWEST:
        total = counts[:, -1]
        rank = q * total
        with np.errstate(all="ignore"):
            reached = counts[:, :-1] >= rank[:, None]
            place = np.where(reached.any(axis=1), reached.argmax(axis=1), size - 1)
            values = _interpolated(cells, counts, rank, place)
        values[total == 0] = np.nan
    values[~valid] = np.nan
    values[q < 0], values[q > 1] = -np.inf, np.inf
    has_bounds = np.isposinf(bounds[-1])
    told = forced.is_forced & valid & has_bounds
    return values, Forced(told, forced.lowest, forced.highest, forced.most)


def fraction(cells: Cells, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of the observations between two limits (one of each a cell); NaN without a bucket up to +Inf."""
    if not np.isposinf(cells.bounds[-1]):
        return np.full(len(lower), np.nan)
    total = cells.counts[:, -1]
    with np.errstate(all="ignore"):
        out = (_rank(cells, upper) - _rank(cells, lower)) / total
    out[lower >= upper] = 0.0
    out[(total == 0) | np.isnan(lower) | np.isnan(upper)] = np.nan
    return out


def _interpolated(
    cells: Cells, counts: NDArray[np.float64], rank: NDArray[np.float64], place: NDArray[np.intp]
) -> NDArray[np.float64]:
    row, bounds = np.arange(len(place)), cells.bounds
    start = np.where(place > 0, bounds[place - 1], 0.0)
    before = np.where(place > 0, counts[row, place - 1], 0.0)
    within = (rank - before) / (counts[row, place] - before)
    values = start + (bounds[place] - start) * within
    values[place == len(bounds) - 1] = bounds[-2]
    if bounds[0] <= 0:
        values[place == 0] = bounds[0]
    return values


def _rank(cells: Cells, limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many observations are below each limit."""
    bounds, row = cells.bounds, np.arange(len(limit))
    starts = np.concatenate([[0.0 if bounds[0] > 0 else -np.inf], bounds[:-1]])
    beyond = (starts >= limit[:, None]) | (bounds > limit[:, None])
    place = beyond.argmax(axis=1)
    before = np.where(place > 0, cells.counts[row, place - 1], 0.0)
    count = cells.counts[row, place]
    within = before + (count - before) * (limit - starts[place]) / (bounds[place] - starts[place])
    within = np.where(np.isneginf(starts[place]), count, within)
    rank = np.where(starts[place] >= limit, before, within)
    total = cells.counts[:, -1]
    return np.where(~beyond.any(axis=1) | (rank > total), total, rank)


def _stepped(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """What ``monotonic`` says, for counts where a difference is near the tolerance: bucket after bucket.

    A count counts as risen only if it is well above the last that has; many small rises in a row count in the end.
    """
    risen = counts.T.copy()
    for current, previous in zip(risen[1:], risen, strict=False):
        keep = (current < previous) | _almost_equal(previous, current)
        current[keep] = previous[keep]
    return risen.T


def _nearly_equal(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where two numbers differ, but are almost equal. Few are so near that they must be looked at closely."""
    apart = np.abs(a - b)
    near = (apart > 0) & (apart < _TOLERANCE * (np.abs(a) + np.abs(b) + _SMALLEST))
    near[near] = _almost_equal(a[near], b[near])
    return near


def _almost_equal(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    total, apart = np.abs(a) + np.abs(b), np.abs(a - b)
    small = (a == 0) | (b == 0) | (total < _SMALLEST)
    near = np.where(small, apart < _TOLERANCE * _SMALLEST, apart < _TOLERANCE * total)
    return np.asarray((a == b) | near | (np.isnan(a) & np.isnan(b)))
