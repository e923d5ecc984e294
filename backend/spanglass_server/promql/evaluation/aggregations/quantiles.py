"""Quantiles by linear interpolation, as Prometheus computes them for floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def quantile_of_sorted(ordered: Floats, count: NDArray[np.int64], unknown: NDArray[np.int64], wanted: Floats) -> Floats:
    """The quantile of the numbers along the last axis of ``ordered``, which has ``count`` rising ones.

    ``unknown`` of the ``count`` are NaN, which Prometheus takes for smaller than any number; they stand, as numpy sorts
    them, behind the others. ``wanted`` is broadcast: NaN gives NaN, less than 0 -Inf, more than 1 +Inf.
    """
    with np.errstate(all="ignore"):
        wanted = np.broadcast_to(wanted, count.shape)
        rank = np.where((wanted >= 0) & (wanted <= 1), wanted, 0.0) * np.maximum(count - 1, 0)
        lower = np.floor(rank).astype(np.int64)
        upper = np.minimum(lower + 1, np.maximum(count - 1, 0))
        weight = rank - np.floor(rank)
        below = _ranked(ordered, lower, unknown)
        between = below * (1 - weight) + _ranked(ordered, upper, unknown) * weight
        # On a value, its neighbour does not count, not even an infinite one.
        result = np.where(weight == 0, below, between)
    result = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, result))
    return np.where(np.isnan(wanted), np.nan, result)


def _ranked(ordered: Floats, rank: NDArray[np.int64], unknown: NDArray[np.int64]) -> Floats:
    place = np.maximum(rank - unknown, 0)[..., None]
    return np.where(rank < unknown, np.nan, np.take_along_axis(ordered, place, axis=-1)[..., 0])
