"""Scales on which chance is about as large at every level: roots of counts, logarithms of durations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: ``count``: numbers of events, whose chance is at least Poisson's. ``log``: what varies by a factor. ``share``: from 0
#: to 1. ``plain``: others.
Scale = Literal["count", "log", "share", "plain"]

#: Anscombe's root of a Poisson count, 2 * sqrt(n + 3/8), has a deviation of one.
_ANSCOMBE: Final = 0.375
#: Logarithms of what is less are of this.
_LEAST: Final = 1e-12


def scaled(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """The values on a scale; NaN stays. Counts below zero are zero."""
    if scale == "count":
        return np.asarray(2 * np.sqrt(np.maximum(values, 0.0) + _ANSCOMBE))
    if scale == "log":
        return np.asarray(np.log(np.maximum(values, _LEAST)))
    return values


def unscaled(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Take values back from a scale."""
    if scale == "count":
        return np.asarray(np.maximum(np.square(np.maximum(values, 0.0) / 2) - _ANSCOMBE, 0.0))
    if scale == "log":
        return np.asarray(np.exp(np.minimum(values, 700.0)))
    return values


def least_deviation(level: NDArray[np.float64], scale: Scale, *, is_whole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The smallest deviation that is believed of series of a level (on the scale): what never moved has none at all.

    Counts have Poisson's, durations 5 %, shares a fifth of a percent; others 3 % of the level, whole numbers
    (``is_whole``) at least one.
    """
    if scale == "count":
        return np.ones_like(level)
    if scale == "log":
        return np.full_like(level, 0.05)
    if scale == "share":
        return np.full_like(level, 0.002)
    return np.maximum(np.maximum(0.03 * np.abs(level), np.where(is_whole, 1.0, 0.0)), _LEAST)
