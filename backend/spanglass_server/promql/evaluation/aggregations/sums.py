"""Sums by group of series, and by window of samples, as exact as Prometheus' compensated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Up to so many numbers are summed with compensation in any case; more only where signs differ.
_FEW = 200_000


def segment_sums(values: Floats, starts: NDArray[np.intp]) -> Floats:
    """The sums of the rows ``starts[i]:starts[i + 1]`` of an array; no segment is empty."""
    if not len(starts):
        return np.zeros((0, *values.shape[1:]))
    with np.errstate(all="ignore"):
        if values.size <= _FEW or (values.min() < 0 < values.max()):
            return _compensated(values, starts)
        return np.add.reduceat(values, starts, axis=0)


def _compensated(values: Floats, starts: NDArray[np.intp]) -> Floats:
    """Sums in pairs of number and rounding error, as a tree over the rows of each segment."""
    total, error = values.astype(np.float64), np.zeros_like(values)
    place = np.arange(len(values)) - np.repeat(starts, np.diff([*starts, len(values)]))
    while (place > 0).any():
        odd = np.flatnonzero(place % 2)
        first, second = total[odd - 1], total[odd]
        both = first + second
        shadow = both - first
        lost = (first - (both - shadow)) + (second - shadow)
        # Where a sum is infinite or no number, so is its error: there is nothing to mend.
        error[odd - 1] += error[odd] + np.where(np.isfinite(lost), lost, 0.0)
        total[odd - 1] = both
        even = np.flatnonzero(place % 2 == 0)
        total, error, place = total[even], error[even], place[even] // 2
    return np.where(np.isfinite(total), total + error, total)
