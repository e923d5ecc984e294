"""The methods of forecasting, each from the same facts of what is known up to a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.forecasting.gaps import ends, filled
from spanglass_server.forecasting.medians import median
from spanglass_server.forecasting.seasons import profile, repeated
from spanglass_server.forecasting.slopes import slopes
from spanglass_server.forecasting.smoothing import Smoothed, damped, smooth

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: The line of "linear" ends in the median of this share of the series, at least so many steps.
_END_SHARE, _END_LEAST = 20, 3
#: Slopes count from this confidence on.
_CERTAIN: Final = 0.9
#: Logarithms go on so far beyond the least and the largest: five times.
_FARTHEST: Final = 1.6
#: "recent linear" knows this share of the series.
_RECENT: Final = 3


@dataclass(frozen=True, slots=True)
class How:
    """What is known of the seasons of series: a period in steps (0 for none), one within it, added or as a factor."""

    period: int = 0
    shorter: int = 0
    factor: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What methods are made of: the values known (series, steps), and forecasts over so many steps.

    ``known`` has no gaps. ``season`` is the profile going on over those steps, 0 without a season; ``values`` have none
    any more, and NaN where nothing is known.
    """

    known: NDArray[np.float64]
    values: NDArray[np.float64]
    season: NDArray[np.float64]
    period: int
    ahead: int
    smoothed: Smoothed

    @property
    def after(self) -> NDArray[np.float64]:
        """How far behind the last known step each forecast is: 1, 2, ..."""
        return np.arange(1.0, self.ahead + 1)


def all_methods(values: NDArray[np.float64], ahead: int, how: How) -> dict[str, NDArray[np.float64]]:
    """Return what each method that can be used says of the next steps of rows of ``values``: (series, ahead) each."""
    values = np.log(values) if how.factor else values
    given = _facts(values, ahead, how)
    said = {name: method(given) for name, (method, seasonal) in METHODS.items() if how.period or not seasonal}
    if not how.factor:
        return said
    # of a line through logarithms, nothing is believed that goes far beyond what was ever seen
    low, high = np.fmin.reduce(values, axis=1)[:, None] - _FARTHEST, np.fmax.reduce(values, axis=1)[:, None] + _FARTHEST
    return {name: np.exp(np.clip(path, low, high)) for name, path in said.items()}


def _facts(values: NDArray[np.float64], ahead: int, how: How) -> Facts:
    known = filled(values)
    steps = values.shape[1]
    season = np.zeros((len(values), ahead))
    around = values
    if how.period:
        one = profile(values, how.period, how.shorter)
        season = repeated(one, steps, ahead)
        around = values - repeated(one, 0, steps)
    return Facts(known, around, season, how.period, ahead, smooth(filled(around)))


def last_value(given: Facts) -> NDArray[np.float64]:
    """The last value, again and again."""
    return np.repeat(given.known[:, -1:], given.ahead, axis=1)


def drift(given: Facts) -> NDArray[np.float64]:
    """The line from the first value through the last."""
    first, last = ends(given.values)
    rise = (given.known[:, -1] - given.known[:, 0]) / np.maximum(last - first, 1)
    return np.asarray(given.known[:, -1:] + rise[:, None] * given.after)


def seasonal_naive(given: Facts) -> NDArray[np.float64]:
    """The last period, again and again."""
    return repeated(given.known[:, -given.period :], 0, given.ahead)


def level(given: Facts) -> NDArray[np.float64]:
    """The smoothed level, with its season."""
    return np.asarray(given.smoothed.level[:, None] + given.season)


def theta(given: Facts) -> NDArray[np.float64]:
    """The smoothed level with half the slope of the series, with its season."""
    rise = _rise(given.values) / 2
    return np.asarray(given.smoothed.level[:, None] + rise[:, None] * given.after + given.season)


def damped_trend(given: Facts) -> NDArray[np.float64]:
    """The smoothed level with a smoothed trend that wears off, with its season."""
    rise = given.smoothed.trend[:, None] * damped(given.ahead)
    return np.asarray(given.smoothed.damped_level[:, None] + rise + given.season)


def linear(given: Facts) -> NDArray[np.float64]:
    """A robust line through the whole series, with its season."""
    return _line(given, given.values)


def recent_linear(given: Facts) -> NDArray[np.float64]:
    """A robust line through the last third, with its season."""
    return _line(given, given.values[:, -max(given.values.shape[1] // _RECENT, 2) :])


def usual(given: Facts) -> NDArray[np.float64]:
    """The median of the whole series, with its season."""
    return np.asarray(median(given.values)[:, None] + given.season)


def _rise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The slope of each row, 0 where it may as well be chance: far ahead chance goes far, too."""
    found = slopes(values)
    return np.where(found.confidence >= _CERTAIN, np.nan_to_num(found.per_step), 0.0)


def _line(given: Facts, values: NDArray[np.float64]) -> NDArray[np.float64]:
    rise = _rise(values)[:, None]
    steps = min(max(values.shape[1] // _END_SHARE, _END_LEAST), values.shape[1])
    end = median(values[:, -steps:] + rise * np.arange(steps - 1.0, -1.0, -1.0))
    end = np.where(np.isnan(end), given.smoothed.level, end)
    return np.asarray(end[:, None] + rise * given.after + given.season)


#: How errors grow with the time ahead, as a power of it: not at all around a level that stays, with the root where the
#: level walks, with the time itself where a slope is wrong.
GROWTH: Final = {
    "last value": 0.5,
    "seasonal naive": 0.25,
    "level": 0.5,
    "usual": 0.1,
    "drift": 1.0,
    "linear": 1.0,
    "recent linear": 1.0,
    "theta": 1.0,
    "damped trend": 0.75,
}
#: By the name that is shown; the simple ones first, which win where methods are as good. ``True`` needs a season.
METHODS: Final[dict[str, tuple[Callable[[Facts], NDArray[np.float64]], bool]]] = {
    "last value": (last_value, False),
    "seasonal naive": (seasonal_naive, True),
    "level": (level, False),
    "usual": (usual, False),
    "drift": (drift, False),
    "linear": (linear, False),
    "recent linear": (recent_linear, False),
    "theta": (theta, False),
    "damped trend": (damped_trend, False),
}


def usable(how: How) -> tuple[str, ...]:
    """Return the names of the methods for series with such a season."""
    return tuple(name for name, (_, seasonal) in METHODS.items() if how.period or not seasonal)
