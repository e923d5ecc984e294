"""When a bound is met: a disk is full, a pool is used up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.forecasting.forecasts import Forecasts


@dataclass(frozen=True, slots=True)
class Reached:
    """In how many steps each series meets its bound, with parts of steps: at the earliest, as expected, at the latest.

    NaN where that is not within the time that was forecast, and without a forecast: of a few values nothing is told. A
    series that is beyond its bound already meets it at 0.
    """

    earliest: NDArray[np.float64]
    expected: NDArray[np.float64]
    latest: NDArray[np.float64]


def reached(
    given: Forecasts, last: NDArray[np.float64], bound: NDArray[np.float64], *, falling: bool = False
) -> Reached:
    """Return when forecasts rise to their bounds (``falling``: fall to them).

    ``last`` and ``bound`` have the shape (series,): the values at the end of what is known, and the bounds.
    """
    sign = -1.0 if falling else 1.0
    soon, late = (given.low, given.high) if falling else (given.high, given.low)
    paths = (np.concatenate([last[:, None], path], axis=1) * sign for path in (soon, given.expected, late))
    is_told = np.array([bool(method) for method in given.method], np.bool_)
    return Reached(*(np.where(is_told, _crossing(path, bound * sign), np.nan) for path in paths))


def _crossing(path: NDArray[np.float64], bound: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first place at which each path is not under its bound, on lines between its steps."""
    over = path >= bound[:, None]
    at = over.argmax(axis=1)
    rows = np.arange(len(path))
    before, after = path[rows, np.maximum(at - 1, 0)], path[rows, at]
    rise = after - before
    part = np.where(rise > 0, (bound - before) / np.where(rise > 0, rise, 1.0), 1.0)
    steps = np.where(at > 0, at - 1 + np.clip(part, 0.0, 1.0), 0.0)
    return np.where(over.any(axis=1), steps, np.nan)
