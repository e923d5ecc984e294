"""How far series that walk without a level get: a floor below intervals, where past forecasts are too few to say."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Distances of values this share of the series apart are compared with those of values a third as far apart.
_LAG: Final = 8
_SHORTER: Final = 3
#: How distances grow with the time between: with its root for a walk (0.5), not at all around a level (0). Between
#: these a series counts as a walk in part.
_LEVEL, _WALK = 0.2, 0.4


def walked(values: NDArray[np.float64], ahead: int, coverage: float) -> NDArray[np.float64]:
    """How far above or below its last value each row of ``values`` (series, steps) is at each step ahead.

    In so many of all cases (``coverage``), if it is a walk; 0 where it stays around a level, or too little is known.
    Take seasons out first. Returns (series, ahead).
    """
    steps = values.shape[1]
    lag = steps // _LAG
    shorter = lag // _SHORTER
    if shorter < 1:
        return np.zeros((len(values), ahead))
    far, near = _distance(values, lag), _distance(values, shorter)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = (np.log(far) - np.log(near)) / np.log(lag / shorter)
    is_walk = np.clip((np.nan_to_num(growth, posinf=1.0, neginf=0.0) - _LEVEL) / (_WALK - _LEVEL), 0.0, 1.0)
    deviations = NormalDist().inv_cdf((1 + coverage) / 2)
    few = 1 + (deviations**2 + 1) / (4 * _LAG)  # Student's distribution of so few independent distances
    reach = deviations * few * np.sqrt(np.arange(1.0, ahead + 1) / lag)
    return np.asarray(np.nan_to_num(far * is_walk)[:, None] * reach)


def _distance(values: NDArray[np.float64], lag: int) -> NDArray[np.float64]:
    """The deviation of the distances of values so many steps apart, without what a slope does; NaN where unknown."""
    apart = values[:, lag:] - values[:, :-lag]
    known = ~np.isnan(apart)
    number = known.sum(axis=1)
    filled = np.where(known, apart, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.sum(axis=1) / number
        variance = np.where(known, (apart - mean[:, None]) ** 2, 0.0).sum(axis=1) / number
        independent = np.maximum(number / lag, 2.0)
        return np.asarray(np.sqrt(variance * independent / (independent - 1)))
