"""Sums in groups that lose no digits, without a loop over values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def starts(group: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where each group begins among values sorted by group."""
    if not len(group):
        return np.empty(0, np.intp)
    return np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))


def compensated(values: NDArray[np.float64], group: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    """The sum of each group, 0 without values; ``group`` is sorted.

    Neighbours are added pair by pair until each group is one value, and what each addition rounds off is kept beside:
    as exact as Kahan's and Neumaier's running sum, in log2(values) steps.
    """
    out = np.zeros(size)
    rest = np.zeros(len(values))
    with np.errstate(invalid="ignore", over="ignore"):
        while True:
            begin = starts(group)
            length = np.diff(np.append(begin, len(group)))
            if not len(length) or length.max() == 1:
                out[group] = values + rest
                return out
            place = np.arange(len(group)) - np.repeat(begin, length)
            first = np.flatnonzero(place % 2 == 0)
            paired = (place + 1 < np.repeat(length, length))[first]
            values, rest = _paired(values, rest, first, paired)
            group = group[first]


def _paired(
    values: NDArray[np.float64], rest: NDArray[np.float64], first: NDArray[np.intp], paired: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    left, kept = values[first], rest[first]
    second = first[paired] + 1
    a, b = left[paired], values[second]
    total = a + b
    shifted = total - a
    lost = (a - (total - shifted)) + (b - shifted)
    left[paired] = total
    # Past the largest float nothing is left to compensate: infinity stays infinity.
    kept[paired] = np.where(np.isfinite(total), kept[paired] + rest[second] + lost, 0.0)
    return left, kept
