"""What is usual of series for the time of day and of the week, by the hours of their past.

An hour is three numbers: the median of its steps, the smallest and the largest, so that a job at a quarter past two
every night is known. The level is that of the day before (24 hours with values), the season is what differs from it by
time, if there is one; the deviation is how far the past went from both, taken at its edge so that tails count, but not
the largest 3 % of hours: they may be anomalies themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.anomalies.detecting.scales import least_deviation
from spanglass_server.forecasting.medians import median, ranked
from spanglass_server.forecasting.seasons import find_seasons, profile, repeated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.anomalies.detecting.scales import Scale

#: Steps of an hour.
STEPS: Final = 12
DAY, WEEK = 24, 168
#: What is usual is told for so many hours from the one after the last.
AHEAD: Final = 3
#: Fewer say nothing of what is usual.
LEAST_HOURS: Final = 3
#: The level is the median of so many hours, without the newest: an anomaly that lasts is usual after half of them.
_LEVEL, _LATE = 24, 1
#: With fewer hours there is no season, and no level of a day: all of them count.
_LEAST_SEASON: Final = 60
#: Hours of so many series are looked at together, or the windows of their levels would take a gigabyte.
_TOGETHER: Final = 256
#: The largest of twelve normal values lies so many deviations above their middle; its edge (97 %) so far above that.
_LARGEST_OF_TWELVE, _EDGE, _EDGE_AWAY = 1.63, 0.97, 1.1
#: Before a second weekend was seen, deviations count for so much more; and for so many hours more over those known.
_YOUNG_HOURS, _YOUNG, _FEW = 9 * DAY, 1.5, 3.0


@dataclass(frozen=True, slots=True)
class Usual:
    """For each series and step of the hours ahead (series, AHEAD * STEPS), on the series' scale.

    ``centre`` is what is expected, ``room`` (2, series, steps) how far below and above it this time of day usually
    goes, ``deviation`` (2, series) the unit of surprise below and above. NaN where too little is known.
    ``period`` is the season's in hours, 0 without one.
    """

    centre: NDArray[np.float64]
    room: NDArray[np.float64]
    deviation: NDArray[np.float64]
    period: NDArray[np.intp]

    def edges(self, step: int, times: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Between which values a step is usual, so many deviations to each side; on the scale."""
        low, high = self.room[:, :, step] + times * self.deviation
        return self.centre[:, step] - low, self.centre[:, step] + high

    def deviations(self, values: NDArray[np.float64], step: int) -> NDArray[np.float64]:
        """How many deviations the values (series,) of a step lie beyond what is usual, below it negative."""
        away = values - self.centre[:, step]
        low, high = self.room[:, :, step]
        below = np.maximum(-away - low, 0.0) / self.deviation[0]
        above = np.maximum(away - high, 0.0) / self.deviation[1]
        return np.asarray(np.where(away < 0, -below, above))


def hours_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return median, smallest and largest of each hour: (3, series, hours) of steps (series, hours * STEPS)."""
    cut = values.reshape(len(values), values.shape[1] // STEPS, STEPS)
    empty = np.isnan(cut).all(axis=2)
    low = np.where(empty, np.nan, np.min(np.where(np.isnan(cut), np.inf, cut), axis=2))
    high = np.where(empty, np.nan, np.max(np.where(np.isnan(cut), -np.inf, cut), axis=2))
    return np.stack([median(cut), low, high])


def find_usual(hours: NDArray[np.float64], scale: Scale, least_hours: int = LEAST_HOURS) -> Usual:
    """Return what is usual in the hours after the last of ``hours`` (3, series, hours), which are on the scale.

    Of series with fewer than ``least_hours`` with values nothing is known.
    """
    number = hours.shape[1]
    parts = [
        _of_some(hours[:, start : start + _TOGETHER], scale, least_hours) for start in range(0, number, _TOGETHER)
    ] or [_of_some(hours, scale, least_hours)]
    return Usual(
        np.concatenate([each.centre for each in parts]),
        np.concatenate([each.room for each in parts], axis=1),
        np.concatenate([each.deviation for each in parts], axis=1),
        np.concatenate([each.period for each in parts]),
    )


def _of_some(hours: NDArray[np.float64], scale: Scale, least_hours: int) -> Usual:
    middle, low, high = hours
    known = np.count_nonzero(~np.isnan(middle), axis=1)
    period = _periods(middle, known)
    season = _season(middle, period)
    size = middle.shape[1]
    levels, level = _levels(middle - season[:, :size])
    usual = levels + season[:, :size]
    room, deviation = zip(
        *(_side(away, period) for away in (usual - low, high - usual)), strict=True
    )  # downwards, upwards
    whole = (np.isnan(middle) | (np.isnan(low) | (low == np.round(low)))).all(axis=1)
    least = least_deviation(level, scale, is_whole=whole)
    more = np.where(known < _YOUNG_HOURS, _YOUNG, 1.0) + _FEW / np.maximum(known, 1)
    unknown = known < least_hours
    centre = np.where(unknown[:, None], np.nan, level[:, None] + season[:, size - 1 :])
    line, steep = _by_steps(centre)
    return Usual(
        line,
        np.stack([np.repeat(each[:, size : size + AHEAD], STEPS, axis=1) + np.nan_to_num(steep) for each in room]),
        np.stack([np.maximum(each * more, least) for each in deviation]),
        period,
    )


def _periods(middle: NDArray[np.float64], known: NDArray[np.intp]) -> NDArray[np.intp]:
    period = np.zeros(len(middle), np.intp)
    rows = np.flatnonzero(known >= _LEAST_SEASON)
    if len(rows):
        found = find_seasons(middle[rows], (DAY, WEEK)).period
        period[rows] = np.where((found == DAY) | (found == WEEK), found, 0)
    return period


def _season(middle: NDArray[np.float64], period: NDArray[np.intp]) -> NDArray[np.float64]:
    """What differs from the level by time: (series, hours and one more than AHEAD after them)."""
    size = middle.shape[1]
    season = np.zeros((len(middle), size + AHEAD + 1))
    for one in np.unique(period[period > 0]).tolist():
        rows = period == one
        shorter = DAY if one == WEEK else 0
        season[rows] = repeated(profile(middle[rows], one, shorter), 0, season.shape[1])
    return season


def _levels(around: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The level at each hour by those known before it, and the one after the last; where there are few, of all."""
    size = around.shape[1]
    whole = median(around)
    if size < _LEVEL + _LATE + STEPS:
        return np.repeat(whole[:, None], size, axis=1), whole
    known = ~np.isnan(around)
    packed = np.take_along_axis(around, np.argsort(~known, axis=1, kind="stable"), axis=1)
    windows = median(np.lib.stride_tricks.sliding_window_view(packed, _LEVEL, axis=1))
    number = np.concatenate([np.zeros((len(around), 1 + _LATE), np.intp), np.cumsum(known, axis=1)], axis=1)[
        :, : size + 1
    ]
    before = np.take_along_axis(windows, np.maximum(number - _LEVEL, 0), axis=1)
    before = np.where(np.isnan(before), whole[:, None], before)
    return before[:, :size], before[:, size]


def _side(away: NDArray[np.float64], period: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far one side usually goes at each hour (beyond what it does at any), and the deviation beyond that."""
    size = away.shape[1]
    typical = np.maximum(np.nan_to_num(median(away)), 0.0)
    room = np.zeros((len(away), size + AHEAD))
    if size >= _LEAST_SEASON:  # a short job every night moves no median: no season says so
        of = np.where((period == WEEK) & (size >= 2 * WEEK), WEEK, DAY)
        for one in np.unique(of).tolist():
            rows = np.flatnonzero(of == one)
            room[rows] = _by_time(away[rows] - typical[rows, None], one)
    left = away - room[:, :size]
    number = np.count_nonzero(~np.isnan(left), axis=1)
    edge = np.nan_to_num(ranked(left, _EDGE * np.maximum(number - 1, 0)))
    return room, np.maximum(typical / _LARGEST_OF_TWELVE, (edge - typical) / _EDGE_AWAY)


def _by_time(beyond: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """How far each time of a period usually goes beyond, with the hours beside it: (series, hours and AHEAD more)."""
    rows, size = beyond.shape
    count = -(-size // period)
    padded = np.full((rows, count * period), np.nan)
    padded[:, :size] = beyond
    usual = np.nan_to_num(median(padded.reshape(rows, count, period).swapaxes(1, 2)))
    usual = np.maximum(np.maximum(usual, np.roll(usual, 1, axis=1)), np.roll(usual, -1, axis=1))
    return np.maximum(repeated(usual, 0, size + AHEAD), 0.0)


def _by_steps(hours: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The steps of the hours ahead on lines between the middles of hours; ``hours`` has one more at both ends.

    The second is half of what the line rises in the hour: where a series leaps, it may be on either side.
    """
    at = (np.arange(AHEAD * STEPS) + 0.5) / STEPS + 0.5
    left = np.floor(at).astype(np.intp)
    rise = hours[:, left + 1] - hours[:, left]
    return np.asarray(hours[:, left] + rise * (at - left)), np.asarray(np.abs(rise) / 2)
