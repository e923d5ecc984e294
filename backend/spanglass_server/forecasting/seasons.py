"""Seasons: which period a series repeats itself in, if any, and how a period usually goes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.forecasting.gaps import ends, filled, spans
from spanglass_server.forecasting.medians import NORMAL, median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: From its first to its last value, a series has so many of a period; of less, chance looks like a season.
_LEAST_PERIODS: Final = 2.5
#: This share of the places of a period was seen at least twice.
_TWICE: Final = 0.75
#: Values farther from the median of their place, in deviations, count as these in its mean.
_NEAR: Final = 4.0
#: Level and profile are found so often in turn where there are gaps: each is wrong where the other is.
_TURNS: Final = 3
#: A season explains so much of what moves around the trend. A longer one leaves less than this of what is left.
_LEAST_STRENGTH, _LONGER = 0.2, 0.85
#: Logarithms explain so much more of a season that is a factor.
_FACTOR: Final = 0.01
#: A period that nobody asked for is one if it explains so much, and was seen so often.
_LEAST_FOUND, _FOUND_PERIODS = 0.4, 4
#: So many steps are needed to find it, or neighbours of noise that are alike make one.
_LEAST_FOUND_SPAN: Final = 48
#: The shortest period counts that is such a share as good as the best.
_NEARLY: Final = 0.9
#: Neighbours at this many steps are alike in any smooth series: no period.
_SHORTEST: Final = 4


@dataclass(frozen=True, slots=True)
class Seasons:
    """The period of each series in steps, 0 for none, and its strength.

    ``strength`` (0 to 1) is the share of what moves around the trend that repeats itself, 0 where there is no period.
    ``factor`` is true where the season is so many times the level, not so much more than it.
    """

    period: NDArray[np.intp]
    strength: NDArray[np.float64]
    factor: NDArray[np.bool_]


def find_seasons(values: NDArray[np.float64], candidates: Sequence[int]) -> Seasons:
    """Return in which period each row of ``values`` (series, steps) repeats itself.

    ``candidates`` are periods in steps that are likely, a day and a week. Another one is found where the series is like
    itself at that distance.
    """
    period = np.zeros(len(values), np.intp)
    strength = np.zeros(len(values))
    known = spans(values)
    for candidate in sorted(candidates):
        rows = np.flatnonzero(known >= _LEAST_PERIODS * candidate)
        if candidate < 2 or not len(rows):  # noqa: PLR2004 - one step is no season
            continue
        explained, before = _explained(values[rows], candidate), strength[rows]
        least = np.maximum(_LEAST_STRENGTH, 1 / (known[rows] / candidate - 1))  # of few periods chance explains more
        better = np.where(period[rows] > 0, 1 - explained < _LONGER * (1 - before), explained >= least)
        period[rows[better]], strength[rows[better]] = candidate, explained[better]
    _find_others(values, period, strength)
    return Seasons(period, strength, _factors(values, period, strength))


def profile(values: NDArray[np.float64], period: int, shorter: int = 0) -> NDArray[np.float64]:
    """How one period usually differs from the level, for each row: (series, period).

    Its first value belongs to the first step of ``values``. Where a period was seen a few times, part of what differs
    is chance: the profile is drawn towards that of a period that is ``shorter`` (a day within a week), or towards 0.
    """
    around = _by_period(_without_level(values, period), period)
    usual = _usual(around)
    base = np.zeros_like(usual)
    if shorter and period % shorter == 0:
        base = np.tile(profile(values, shorter), (1, period // shorter))
    usual = np.where(np.isnan(usual), base, usual)
    own = usual - base
    seen = np.maximum(np.count_nonzero(~np.isnan(around), axis=1).mean(axis=1), 1.0)
    chance = np.square(_scatter(around - usual[:, None, :])) * (np.pi / 2) / seen
    size = np.mean(own * own, axis=1)
    kept = np.clip(1 - chance / np.where(size > 0, size, 1.0), 0.0, 1.0)
    own = own * np.where(seen > 1.5, kept, 1.0)[:, None]  # noqa: PLR2004 - once is no scatter
    own = own - own.mean(axis=1, keepdims=True)
    return np.asarray(base + own)


def _usual(cut: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each place of the periods (series, periods, period) usually is: its mean, with what is far off drawn near.

    Of few values the median is one of them: around it the others would look as if there were no chance.
    """
    middle = median(cut.swapaxes(1, 2))
    off = cut - middle[:, None, :]
    away = _NEAR * _scatter(off)[:, None, None]
    number = np.maximum(np.count_nonzero(~np.isnan(cut), axis=1), 1)
    return np.asarray(middle + np.nansum(np.clip(off, -away, away), axis=1) / number)


def repeated(one: NDArray[np.float64], first: int, steps: int) -> NDArray[np.float64]:
    """A profile (series, period) over ``steps`` steps, the first of which is step ``first`` of its series."""
    return one[:, (first + np.arange(steps)) % one.shape[1]]


def without(values: NDArray[np.float64], seasons: Seasons) -> NDArray[np.float64]:
    """Return the values without their seasons: trend, shifts and chance."""
    left = values.copy()
    for period in np.unique(seasons.period[seasons.period > 0]):
        rows = seasons.period == period
        left[rows] -= repeated(profile(values[rows], int(period)), 0, values.shape[1])
    return left


def _explained(values: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """The share of the variance around the level that the profile explains, less what any profile would by chance."""
    around = _without_level(values, period)
    around = np.clip(around, *_fence(around))
    cut = _by_period(around, period)
    usual = median(cut.swapaxes(1, 2))
    left = cut - usual[:, None, :]
    seen = np.count_nonzero(~np.isnan(cut), axis=1)
    twice = seen >= 2  # noqa: PLR2004 - a place that was seen once says nothing
    known = np.where(twice, seen, 0).sum(axis=1)
    free = known - twice.sum(axis=1)
    squares = np.where(twice[:, None, :], cut * cut, 0.0)
    whole, rest = np.nansum(squares, axis=(1, 2)), np.nansum(left * left, axis=(1, 2))
    certain = (free > 0) & (whole > 0) & (twice.mean(axis=1) >= _TWICE)
    share = 1 - (rest / np.where(certain, free, 1)) / (np.where(certain, whole, 1.0) / np.maximum(known - 1, 1))
    return np.where(certain, np.clip(share, 0.0, 1.0), 0.0)


def _factors(values: NDArray[np.float64], period: NDArray[np.intp], strength: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether logarithms repeat themselves better than the values do."""
    factor = np.zeros(len(values), np.bool_)
    positive = ~np.any(values <= 0, axis=1)
    for one in np.unique(period[period > 0]):
        rows = np.flatnonzero((period == one) & positive)
        factor[rows] = _explained(np.log(values[rows]), int(one)) > strength[rows] + _FACTOR
    return factor


def _find_others(values: NDArray[np.float64], period: NDArray[np.intp], strength: NDArray[np.float64]) -> None:
    """Look for a period in series that have none of those asked for, where they are most like themselves."""
    known = spans(values)
    rows = np.flatnonzero((period == 0) & (known >= _LEAST_FOUND_SPAN))
    if not len(rows):
        return
    longest = known[rows, None] // _FOUND_PERIODS
    alike = _alikeness(values[rows])
    peak = (alike[:, 1:-1] > alike[:, :-2]) & (alike[:, 1:-1] >= alike[:, 2:])
    lags = np.arange(1, alike.shape[1] - 1)
    heights = np.where(peak & (lags >= _SHORTEST) & (lags <= longest), alike[:, 1:-1], -1.0)
    first = (heights >= _NEARLY * heights.max(axis=1, keepdims=True)).argmax(axis=1)  # not twice the period
    found = np.where(heights.max(axis=1) > _LEAST_FOUND, lags[first], 0)
    for candidate in np.unique(found[found > 0]):
        those = rows[found == candidate]
        explained = _explained(values[those], int(candidate))
        real = explained >= _LEAST_FOUND
        period[those[real]], strength[those[real]] = candidate, explained[real]


def _alikeness(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocorrelation by lag, without what is slow: each value less the mean of those around it."""
    steps = values.shape[1]
    first, last = (each[:, None] for each in ends(values))
    inside = (np.arange(steps) >= first) & (np.arange(steps) <= last)
    known = np.where(inside, filled(values), np.nan)
    around = known - _level(known, max(3, steps // _FOUND_PERIODS))
    around = np.nan_to_num(np.clip(around, *_fence(around)))
    size = 1 << (2 * steps - 1).bit_length()
    spectrum = np.fft.rfft(around, size, axis=1)
    products = np.fft.irfft(spectrum * spectrum.conj(), size, axis=1)[:, :steps]
    whole = products[:, :1]
    span = last - first + 1
    return np.asarray(products / np.where(whole > 0, whole, 1.0) * (span / np.maximum(span - np.arange(steps), 1)))


def _fence(around: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values beyond are taken for these: one incident is no season."""
    high = 5 * _scatter(around)[:, None]
    high = np.where(high > 0, high, np.inf)  # where most values are alike, what is not is the season
    return -high, high


def _scatter(around: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scaled median distance from 0 of all values of each row."""
    return np.asarray(NORMAL * median(np.abs(around.reshape(len(around), math.prod(around.shape[1:])))))


def _by_period(values: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Cut into periods from the first step: (series, periods, period), NaN behind the last step."""
    rows, steps = values.shape
    count = -(-steps // period)
    padded = np.full((rows, count * period), np.nan)
    padded[:, :steps] = values
    return padded.reshape(rows, count, period)


def _without_level(values: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Return the values less their level, which single ones far off do not move."""
    middles = filled(median(_by_period(values, period)))
    centres = np.arange(middles.shape[1]) * period + (period - 1) / 2
    at = np.clip((np.arange(values.shape[1]) - centres[0]) / period, 0, middles.shape[1] - 1)
    left = np.floor(at).astype(np.intp)
    right = np.minimum(left + 1, middles.shape[1] - 1)
    rough = middles[:, left] + (middles[:, right] - middles[:, left]) * (at - left)
    off = values - rough
    kept = rough + np.clip(off, *_fence(off))
    level = _level(kept, period)
    for _ in range(_TURNS if np.isnan(values).any() else 0):  # the mean of part of a period is not its level
        usual = median(_by_period(kept - level, period).swapaxes(1, 2))
        known = np.count_nonzero(~np.isnan(usual), axis=1, keepdims=True)
        usual = np.nan_to_num(usual - np.nansum(usual, axis=1, keepdims=True) / np.maximum(known, 1))
        level = _level(kept - repeated(usual, 0, values.shape[1]), period)
    return np.asarray(values - level)


def _level(values: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """The mean of the period around each step; at the ends that of the first and last, going on as the series does."""
    rows, steps = values.shape
    known = ~np.isnan(values)
    sums = np.zeros((rows, steps + 1))
    counts = np.zeros((rows, steps + 1))
    np.cumsum(np.where(known, values, 0.0), axis=1, out=sums[:, 1:])
    np.cumsum(known, axis=1, out=counts[:, 1:])
    first, last = (each[:, None] for each in ends(values))
    start = np.clip(np.arange(steps) - period // 2, first, np.maximum(last + 1 - period, first))
    stop = np.minimum(start + period, steps)
    number, total = (np.take_along_axis(each, stop, 1) - np.take_along_axis(each, start, 1) for each in (counts, sums))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
