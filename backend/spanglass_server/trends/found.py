"""What was found of one quantity, for all its series: slopes, seasons, shifts, forecasts, when bounds are met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.forecasting.capacity import Reached, reached
from spanglass_server.forecasting.forecasts import Forecasts, forecast
from spanglass_server.forecasting.gaps import ends, is_over
from spanglass_server.forecasting.medians import median
from spanglass_server.forecasting.trends import Trends, find_trends
from spanglass_server.trends.bounds import bounds_of, last_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.trends.bounds import Bounds
    from spanglass_server.trends.history import Course, History, Labels
    from spanglass_server.trends.quantities import Quantity
    from spanglass_server.trends.thresholds import Threshold

#: Lists draw so many points of the past, and of what is ahead.
PAST_POINTS, AHEAD_POINTS = 84, 24
#: A trend is told of from this confidence on, and where the whole of it is this share of the level.
CONFIDENT, LEAST_CHANGE = 0.95, 0.05
#: Small charts are kept in 32 bits.
_LARGEST: Final = 3e38
#: No change counts more than this many times the level.
_MOST_CHANGE: Final = 3.0


@dataclass(frozen=True, slots=True)
class Found:
    """Arrays with one entry (or row) for each series that still has values.

    ``change`` is what the slope adds over the time that is known, as a share of the level. ``past`` and ``paths`` are
    for small charts: (series, points), and (3, series, points) for expected, low and high. ``importance`` orders lists.
    """

    quantity: Quantity
    course: Course
    end_ms: int
    share_read: float
    left_out: int
    labels: tuple[Labels, ...]
    now: NDArray[np.float64]
    level: NDArray[np.float64]
    known: NDArray[np.intp]
    change: NDArray[np.float64]
    trends: Trends
    given: Forecasts
    bounds: Bounds
    met: Reached
    past: NDArray[np.float32]
    paths: NDArray[np.float32]
    importance: NDArray[np.float64]


def find(quantity: Quantity, history: History, thresholds: Sequence[Threshold] = ()) -> Found:
    """Compute everything that is told of a quantity; 2 to 3 ms of processor time a series."""
    course, values = history.course, history.values
    first, last = ends(values)
    rows = np.flatnonzero(~is_over(values))
    values, first, last = values[rows], first[rows], last[rows]
    trends, given = find_trends(values, course.periods), forecast(values, course.ahead, course.periods)
    now = values[np.arange(len(rows)), last]
    known = last - first + 1
    level = median(values)
    size = np.maximum(np.abs(level), np.maximum(np.abs(now), 1e-300))
    change = np.nan_to_num(trends.slopes.per_step) * known / size
    names = tuple(history.labels[row] for row in rows.tolist())
    bounds = bounds_of(quantity, names, last_day(values, course), thresholds)
    met = reached(given, now, bounds.values)
    return Found(
        quantity, course, history.last * course.step_ms, history.share_read, history.left_out,
        names, now, level, known, change, trends, _short(given, course), bounds, met,
        _points(values, PAST_POINTS),
        np.stack([_points(path[:, : course.outlook], AHEAD_POINTS) for path in _paths(given)]),
        _importance(quantity, change, trends, met, course),
    )  # fmt: skip


def is_trend(found: Found) -> NDArray[np.bool_]:
    """For each series whether its trend is worth telling."""
    certain = found.trends.slopes.confidence >= CONFIDENT
    return np.asarray(certain & (np.abs(found.change) >= LEAST_CHANGE))


def _paths(given: Forecasts) -> tuple[NDArray[np.float64], ...]:
    return given.expected, given.low, given.high


def _short(given: Forecasts, course: Course) -> Forecasts:
    """The forecasts with the step that is told only: paths of all steps would take 16 kB a series."""
    expected, low, high = (path[:, course.outlook - 1 : course.outlook].copy() for path in _paths(given))
    return Forecasts(expected, low, high, given.method, given.error, given.naive_error, given.seasons)


def _points(values: NDArray[np.float64], most: int) -> NDArray[np.float32]:
    """At most so many points of each row: means of as many steps each, the last of them whole."""
    size = max(1, -(-values.shape[1] // most))
    count = values.shape[1] // size
    cut = values[:, values.shape[1] - count * size :].reshape(len(values), count, size)
    known = ~np.isnan(cut)
    number = known.sum(axis=2)
    means = np.where(known, cut, 0.0).sum(axis=2) / np.maximum(number, 1)
    return np.where(number > 0, np.clip(means, -_LARGEST, _LARGEST), np.nan).astype(np.float32)


def _importance(
    quantity: Quantity, change: NDArray[np.float64], trends: Trends, met: Reached, course: Course
) -> NDArray[np.float64]:
    """Trends by how sure and how large they are, the sooner a bound is met the more; jumps by size, if they are new."""
    certain = trends.slopes.confidence >= CONFIDENT
    score = np.where(certain, np.minimum(np.abs(change), _MOST_CHANGE), 0.0)
    soon = np.where(
        np.isnan(met.expected) | (quantity.bound is None), 0.0, 2 + 2 * (1 - np.nan_to_num(met.expected) / course.ahead)
    )
    jumps = np.zeros(len(change))
    for row, shifts in enumerate(trends.shifts):
        for shift in shifts:
            larger = max(abs(shift.before), abs(shift.after), 1e-300)
            age = 1 - shift.step / course.past
            jumps[row] = max(jumps[row], abs(shift.after - shift.before) / larger * (1 - age))
    return np.asarray(quantity.weight * (score + soon + jumps))
