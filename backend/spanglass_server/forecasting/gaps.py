"""Gaps in series: what is known first and last, and values in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


#: Squares of larger numbers are infinite.
_LARGEST: Final = 1e100
#: A series is over after this share of its steps without a value; but after so many, and so many of its usual gaps.
_OVER, _OVER_STEPS, _OVER_GAPS = 0.05, 3, 2


def clean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values with NaN for those that are infinite, or too large to be computed with."""
    values = np.asarray(values, dtype=np.float64)
    return np.where(np.abs(values) < _LARGEST, values, np.nan)


def filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill gaps on a line between their ends, before the first and after the last known value with that value.

    Rows without any value stay NaN.
    """
    known = ~np.isnan(values)
    if known.all():
        return values
    steps = values.shape[-1]
    at = np.arange(steps)
    before = np.maximum.accumulate(np.where(known, at, -1), axis=-1)
    after = np.minimum.accumulate(np.where(known, at, steps)[..., ::-1], axis=-1)[..., ::-1]
    left = np.where(before < 0, after, before)
    right = np.where(after >= steps, before, after)
    left, right = np.clip(left, 0, steps - 1), np.clip(right, 0, steps - 1)
    low, high = np.take_along_axis(values, left, -1), np.take_along_axis(values, right, -1)
    width = np.maximum(right - left, 1)
    return np.asarray(low + (high - low) * ((at - left) / width))


def ends(values: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The steps of the first and of the last known value of each row; 0 and the last step for rows without any."""
    known = ~np.isnan(values)
    return known.argmax(axis=-1), values.shape[-1] - 1 - known[..., ::-1].argmax(axis=-1)


def spans(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """The steps from the first to the last known value of each row, both counted; 0 for rows without any."""
    first, last = ends(values)
    return np.asarray(np.where(np.isnan(values).all(axis=-1), 0, last - first + 1))


def is_over(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each row (series, steps) whether its end is so long ago that nothing more is expected of it.

    That is a twentieth of the steps, at least three, at least twice the mean distance of its values; rows without any
    value are over.
    """
    steps = values.shape[-1]
    first, last = ends(values)
    number = np.count_nonzero(~np.isnan(values), axis=-1)
    usual = (last - first) / np.maximum(number - 1, 1)
    most = np.maximum(max(_OVER * steps, _OVER_STEPS), _OVER_GAPS * usual)
    return np.asarray((number == 0) | (steps - 1 - last > most))
