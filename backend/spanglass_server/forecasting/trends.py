"""What became of series: their slopes with confidence, their seasons, their level shifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.forecasting.gaps import clean
from spanglass_server.forecasting.seasons import Seasons, find_seasons, without
from spanglass_server.forecasting.shifts import Shift, find_shifts
from spanglass_server.forecasting.slopes import Slopes, slopes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Trends:
    """The slopes of series without their seasons and shifts, and both of these, one for each series."""

    slopes: Slopes
    seasons: Seasons
    shifts: tuple[tuple[Shift, ...], ...]


def find_trends(values: NDArray[np.float64], periods: Sequence[int] = ()) -> Trends:
    """Return what became of each row of ``values`` (series, steps). ``periods`` are likely ones, in steps."""
    values = clean(values)
    seasons = find_seasons(values, periods)
    around = without(values, seasons)
    shifts = find_shifts(around)
    for row, those in enumerate(shifts):
        for shift in those:  # one jump is no slope
            around[row, shift.step :] -= shift.after - shift.before
    return Trends(slopes(around), seasons, tuple(tuple(those) for those in shifts))
