"""What each method would have said at past steps, and how far off that was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.forecasting.methods import How, all_methods, usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: At most so many past steps are forecast from; what is known before the first is at least this share of the series.
_ORIGINS, _KNOWN_SHARE = 8, 2
#: A method needs so many steps before it, whatever it is.
_LEAST_KNOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Backtest:
    """Errors of all methods, true less forecast: (methods, origins, series, steps ahead), NaN where the truth is."""

    methods: tuple[str, ...]
    errors: NDArray[np.float64]

    @property
    def ahead(self) -> int:
        """So many steps were forecast each time; may be fewer than were asked for."""
        return int(self.errors.shape[-1])


def origins(steps: int, ahead: int, period: int) -> tuple[list[int], int]:
    """Return how many steps are known at each past forecast, and how many steps ahead each goes.

    The later half of the series is forecast, again and again; but two periods are known before the first. None where
    the series is too short.
    """
    least = max(_LEAST_KNOWN, 2 * period, steps // _KNOWN_SHARE)
    room = steps - least
    if room < 1:
        return [], 0
    ahead = max(1, min(ahead, (2 * room + 2) // 3))
    count = min(_ORIGINS, room - ahead + 1)
    return [int(at) for at in np.unique(np.linspace(least, steps - ahead, count).round())], ahead


def backtest(values: NDArray[np.float64], ahead: int, how: How) -> Backtest | None:
    """Return how far off all methods were on rows of ``values`` with one season; None if the series is too short."""
    starts, ahead = origins(values.shape[1], ahead, how.period)
    if not starts:
        return None
    names = usable(how)
    errors = np.empty((len(names), len(starts), len(values), ahead))
    for number, start in enumerate(starts):
        said = all_methods(values[:, :start], ahead, how)
        for row, name in enumerate(names):
            errors[row, number] = values[:, start : start + ahead] - said[name]
    return Backtest(names, errors)
