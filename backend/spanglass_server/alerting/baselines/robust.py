"""Medians and spreads that a past incident, or a few odd samples, do not move. Missing values are NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Times the median of distances from the median, this is the standard deviation of what is distributed normally.
_SCALE = 1.4826


@dataclass(frozen=True, slots=True)
class Floor:
    """The least spread: a share of the baseline, and so much in the quantity's own unit.

    A series that never moved has no spread at all; the first digit that changes would be an alert. Half a percent of
    errors and 5 ms are below what anybody wants to be woken for, whatever was usual.
    """

    relative: float = 0.05
    absolute: float = 0.005


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


def spread(values: NDArray[np.float64], middle: NDArray[np.float64], floor: Floor) -> NDArray[np.float64]:
    """How far values usually are from their middle, along the last axis: the scaled median distance."""
    distance = _SCALE * median(np.abs(values - middle[..., None]))
    return np.maximum(np.maximum(distance, floor.relative * np.abs(middle)), floor.absolute)
