"""Medians and quantiles along the last axis, without what is missing (NaN)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Times the median of distances from the median, this is the standard deviation of what is distributed normally.
NORMAL: Final = 1.4826


def median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median along the last axis, without what is missing; NaN where all is."""
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    inside = np.sort(values, axis=-1)  # NaN is sorted to the end
    count = np.count_nonzero(~np.isnan(inside), axis=-1, keepdims=True)
    low = np.take_along_axis(inside, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(inside, np.minimum(count // 2, values.shape[-1] - 1), axis=-1)
    middle = np.where((count % 2 == 1) | (low == high), low, (low + high) / 2)
    return np.where(count > 0, middle, np.nan)[..., 0]


def ranked(values: NDArray[np.float64], rank: NDArray[np.float64]) -> NDArray[np.float64]:
    """The value of a rank along the last axis, 0 being the smallest; between two of them in proportion.

    ``rank`` has the shape of ``values`` without the last axis. Ranks beyond the ends mean the ends.
    """
    inside = np.sort(values, axis=-1)
    last = np.maximum(np.count_nonzero(~np.isnan(inside), axis=-1) - 1, 0)
    rank = np.clip(rank, 0, last)
    low = np.floor(rank).astype(np.intp)
    below = np.take_along_axis(inside, low[..., None], axis=-1)[..., 0]
    above = np.take_along_axis(inside, np.minimum(low + 1, last)[..., None], axis=-1)[..., 0]
    part = rank - low
    return np.where(part > 0, below + (above - below) * part, below)


def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scaled median distance from the median along the last axis: a deviation that odd values don't move."""
    return NORMAL * median(np.abs(values - median(values)[..., None]))
