"""Forecasts of many series: the method that did best on each, with an interval and its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.forecasting.backtesting import Backtest, backtest
from spanglass_server.forecasting.gaps import clean, ends
from spanglass_server.forecasting.intervals import half_widths
from spanglass_server.forecasting.methods import GROWTH, How, all_methods
from spanglass_server.forecasting.seasons import Seasons, find_seasons, without
from spanglass_server.forecasting.shifts import Shift, find_shifts
from spanglass_server.forecasting.walks import walked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

#: So many of the best methods are taken together.
_BEST: Final = 3
#: No error is smaller; a series that never moved has none.
_NOTHING: Final = 1e-100
#: Intervals hold the truth this often.
COVERAGE: Final = 0.8
#: Nothing is said of series with fewer values.
LEAST_VALUES: Final = 10
#: After a jump there is enough if it is this share of the time, and four periods.
_AFTER_JUMP: Final = 6
#: Where series begin is told to this share of the time.
_BEGINNINGS: Final = 24
#: Series of one period are computed so many at once: 1,000 of 700 steps take 150 MB.
_AT_ONCE: Final = 250


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Forecasts of the next steps, (series, ahead) for ``expected``, ``low`` and ``high``; the rest one per series.

    ``method`` is the best one by backtest, "" for series of which too little is known: all of theirs is NaN. ``error``
    is the mean distance of past forecasts from the truth, in the unit of the series; ``naive_error`` that of the last
    value, or of the last period where there is one, over the same steps.
    """

    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    method: tuple[str, ...]
    error: NDArray[np.float64]
    naive_error: NDArray[np.float64]
    seasons: Seasons


def forecast(
    values: NDArray[np.float64], ahead: int, periods: Sequence[int] = (), *, coverage: float = COVERAGE
) -> Forecasts:
    """Forecast the next ``ahead`` steps of each row of ``values`` (series, steps).

    ``periods`` are likely periods in steps, a day and a week: whether there is one is found for each series. Series
    that were never negative are not forecast to be. Raises ``ValueError`` for less than one step ahead, or a coverage
    that is not between 0 and 1.
    """
    if ahead < 1 or not 0 < coverage < 1:
        raise ValueError("a forecast goes at least one step ahead, its coverage is between 0 and 1")
    values = clean(values)
    never = ~(values < 0).any(axis=1)  # negative
    seasons = find_seasons(values, periods)
    given = _empty(len(values), ahead, seasons)
    methods = [""] * len(values)
    begins, values = _settled(values, seasons)
    enough = np.count_nonzero(~np.isnan(values), axis=1) >= LEAST_VALUES
    for period in np.unique(seasons.period):
        shorter = max((one for one in periods if 1 < one < period and period % one == 0), default=0)
        for factor in (False, True):
            rows = np.flatnonzero((seasons.period == period) & (seasons.factor == factor) & enough)
            how = How(int(period), shorter, factor)
            for some, begin in _batches(begins, rows, values.shape[1]):
                _some(given, methods, some, values[some, begin:], how, coverage)
    for path in (given.expected, given.low, given.high):
        path[never] = np.maximum(path[never], 0.0)
    return Forecasts(given.expected, given.low, given.high, tuple(methods), given.error, given.naive_error, seasons)


def _settled(values: NDArray[np.float64], seasons: Seasons) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The step from which on each row is believed: its first value, or its last jump if enough comes after it.

    What was before a jump says little of what comes, and its errors even less. If too little comes after one, what was
    before is moved to the new level.
    """
    steps = values.shape[1]
    begins = ends(values)[0]
    moved = values.copy()
    for row, shifts in enumerate(find_shifts(without(values, seasons))):
        least = max(steps // _AFTER_JUMP, 4 * int(seasons.period[row]))
        left = [shift.step for shift in shifts if steps - shift.step >= least]
        begins[row] = max([int(begins[row]), *left])
        for shift in shifts:
            if steps - shift.step < least:
                before = moved[row, : shift.step]
                before[:] = _moved(before, shift, is_factor=bool(seasons.factor[row]))
    return begins, moved


def _moved(values: NDArray[np.float64], shift: Shift, *, is_factor: bool) -> NDArray[np.float64]:
    if is_factor:  # these have logarithms
        return values * (shift.after / shift.before) if min(shift.before, shift.after) > 0 else values
    return values + (shift.after - shift.before)


def _batches(begins: NDArray[np.intp], rows: NDArray[np.intp], steps: int) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Rows that begin at about the same step, with a step near it: young series have forecasts, too."""
    unit = max(1, steps // _BEGINNINGS)
    places = begins[rows] // unit * unit
    for begin in np.unique(places):
        those = rows[places == begin]
        for start in range(0, len(those), _AT_ONCE):
            yield those[start : start + _AT_ONCE], int(begin)


def _empty(rows: int, ahead: int, seasons: Seasons) -> Forecasts:
    expected, low, high = np.full((3, rows, ahead), np.nan)
    error, naive_error = np.full((2, rows), np.nan)
    return Forecasts(expected, low, high, (), error, naive_error, seasons)


def _some(
    given: Forecasts,
    methods: list[str],
    rows: NDArray[np.intp],
    values: NDArray[np.float64],
    how: How,
    coverage: float,
) -> None:
    """Forecast rows whose seasons are alike, into their places."""
    ahead = given.expected.shape[1]
    tried = backtest(values, ahead, how)
    if tried is None:
        return
    weights, scores = _weights(tried)
    said = np.stack(list(all_methods(values, ahead, how).values()))
    expected = np.einsum("ms,msh->sh", weights, said)
    errors = np.einsum("ms,mosh->osh", weights, tried.errors)
    growth = np.array([GROWTH[name] for name in tried.methods]) @ weights
    below, above = half_widths(errors, ahead, coverage, growth)
    if not how.period:
        least = walked(values, ahead, coverage)
        below, above = np.maximum(below, least), np.maximum(above, least)
    expected[np.isnan(scores).all(axis=0)] = np.nan
    given.expected[rows], given.low[rows], given.high[rows] = expected, expected - below, expected + above
    given.error[rows] = _mean(np.abs(errors), (0, 2))
    simple = tried.methods.index("seasonal naive" if how.period else "last value")
    given.naive_error[rows] = scores[simple]
    known = np.isfinite(given.low[rows]).all(axis=1)
    for one in (given.expected, given.low, given.high, given.error, given.naive_error):
        one[rows[~known]] = np.nan
    for row, which in zip(rows[known], weights.argmax(axis=0)[known], strict=True):
        methods[row] = tried.methods[which]


def _weights(tried: Backtest) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much each method counts for each series (methods, series), and its mean error there.

    The best few count, by how much better they are. One alone would often be the best by chance.
    """
    scores = _mean(np.abs(tried.errors), (1, 3))
    order = np.argsort(np.where(np.isnan(scores), np.inf, scores), axis=0, kind="stable")
    least = np.maximum(np.take_along_axis(scores, order[:1], axis=0), _NOTHING)
    weight = np.square(least / np.maximum(np.nan_to_num(scores, nan=np.inf), least))
    rank = np.argsort(order, axis=0, kind="stable")
    weight = np.where(rank < _BEST, weight, 0.0)
    return weight / np.maximum(weight.sum(axis=0), _NOTHING), scores


def _mean(values: NDArray[np.float64], axes: tuple[int, ...]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    count = known.sum(axis=axes)
    return np.asarray(np.where(count > 0, np.where(known, values, 0.0).sum(axis=axes) / np.maximum(count, 1), np.nan))
