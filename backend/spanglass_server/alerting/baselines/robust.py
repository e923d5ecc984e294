"""Spreads that a past incident, or a few odd samples, do not move. Missing values are NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.forecasting.medians import NORMAL, median

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Floor:
    """The least spread: a share of the baseline, and so much in the quantity's own unit.

    A series that never moved has no spread at all; the first digit that changes would be an alert. Half a percent of
    errors and 5 ms are below what anybody wants to be woken for, whatever was usual.
    """

    relative: float = 0.05
    absolute: float = 0.005


def spread(values: NDArray[np.float64], middle: NDArray[np.float64], floor: Floor) -> NDArray[np.float64]:
    """How far values usually are from their middle, along the last axis: the scaled median distance."""
    distance = NORMAL * median(np.abs(values - middle[..., None]))
    return np.maximum(np.maximum(distance, floor.relative * np.abs(middle)), floor.absolute)
