"""Error budgets: what is left, how fast it burns, its course, and when it will be used up. Pure functions of counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.slo.counting.minutes import HOUR
from spanglass_server.slo.windows import DAY_HOURS, Span, is_rolling, window_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.slo.counting.minutes import Minutes
    from spanglass_server.slo.model import Objective

#: The windows, in minutes, whose burn rates are told: those of the alert rules.
BURN_WINDOWS: Final = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}
#: What is left of sums of numbers that cancel each other out.
_NOTHING: Final = 1e-6
#: A forecast goes on as it went in the last day; if it went on as in the others, that is how far it may be wrong.
_PACES: Final = (DAY_HOURS, 6, 3 * DAY_HOURS)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a window holds. ``left`` is the share of the budget that is left, below 0 when more was bad than may be.

    ``good`` (a share) and ``left`` are None without any event. ``allowed`` is how many events may be bad, of as many as
    there were.
    """

    total: float
    bad: float
    allowed: float
    good: float | None
    left: float | None


@dataclass(frozen=True, slots=True)
class BurnRate:
    """What a window up to now holds, and how fast the budget burns over it; None where there is no event."""

    total: float
    bad: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the budget will be used up, in hours from now: as in the last day, and at the earliest and latest.

    None where it is not within a window's length. ``is_over``: it is used up, and the hours are those until some of it
    is there again.
    """

    is_over: bool
    hours: int | None
    earliest: int | None
    latest: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Of each hour from ``first`` on: what was counted in it, and the budget that was left at its end (NaN: none)."""

    first: int
    total: NDArray[np.float64]
    bad: NDArray[np.float64]
    left: NDArray[np.float64]


def budget_of(objective: Objective, total: float, bad: float) -> Budget:
    """The budget of a window with so many events."""
    allowed = total * objective.allowed
    if total <= 0:
        return Budget(0.0, 0.0, 0.0, None, None)
    return Budget(total, bad, allowed, 1 - bad / total, 1 - bad / allowed)


def budget_now(objective: Objective, hours: Minutes, hour: int) -> Budget:
    """The budget of the window in which an hour lies; ``hours`` reach back to its start at least."""
    window = window_at(objective, hour)
    inside = hours.cut(window.first, min(window.last, hour + 1))
    return budget_of(objective, float(inside.total.sum()), float(inside.bad.sum()))


def burn_rates(objective: Objective, minutes: Minutes, now: int) -> dict[str, BurnRate]:
    """How fast the budget burns over each window up to the minute ``now``."""
    rates: dict[str, BurnRate] = {}
    for name, length in BURN_WINDOWS.items():
        total, bad = minutes.cut(now - length, now).since(now - length)
        rates[name] = BurnRate(total, bad, bad / total / objective.allowed if total > 0 else None)
    return rates


def course_of(objective: Objective, hours: Minutes, first: int, last: int) -> Course:
    """The course of the budget over hours; ``hours`` reach back a window's length before ``first``."""
    total, bad = (np.concatenate(([0.0], np.cumsum(each))) for each in (hours.total, hours.bad))
    ends = np.arange(first, last) + 1
    starts = np.array([_start(objective, hour, hours.first) for hour in range(first, last)], np.int64)
    to, since = ends - hours.first, np.clip(starts - hours.first, 0, None)
    allowed = (total[to] - total[since]) * objective.allowed
    used = bad[to] - bad[since]
    left = np.full(len(ends), np.nan)
    np.divide(used, allowed, out=left, where=allowed > 0)
    inside = hours.cut(first, last)
    return Course(first, inside.total, inside.bad, 1 - left)


def _start(objective: Objective, hour: int, earliest: int) -> int:
    return max(window_at(objective, hour).first, earliest)


def forecast(objective: Objective, hours: Minutes, hour: int) -> Forecast | None:
    """When the budget is used up if all goes on as it did lately; None where there is too little to tell."""
    window = window_at(objective, hour)
    known = hours.cut(window.first, hour + 1)
    total, bad = float(known.total.sum()), float(known.bad.sum())
    # an objective that is new has no pace before its first hour that is over
    begun = np.flatnonzero(hours.cut(hours.first, hour).total)
    if total <= 0 or not len(begun):
        return None
    hours = hours.cut(hours.first + int(begun[0]), hours.last)
    is_over = bad >= total * objective.allowed
    ahead = [_hours_until(objective, hours, window, hour, pace, is_over=is_over) for pace in _PACES]
    told = [each for each in ahead if each is not None]
    latest = None if len(told) < len(ahead) else max(told)
    return Forecast(is_over, ahead[0], min(told, default=None), latest)


def _hours_until(
    objective: Objective, hours: Minutes, window: Span, hour: int, pace: int, *, is_over: bool
) -> int | None:
    """The hours until the budget is used up, or there again, with as many events an hour as in the last hours."""
    # the hour that is not over says too little
    recent = hours.cut(max(hour - pace, hours.first), hour)
    each_total, each_bad = float(recent.total.mean()), float(recent.bad.mean())
    length = window.last - window.first
    ahead = np.arange(1, (length if is_rolling(objective) else window.last - hour) + 1)
    inside = hours.cut(window.first, hour + 1)
    total, bad = (float(each.sum()) + ahead * mean for each, mean in
                  ((inside.total, each_total), (inside.bad, each_bad)))  # fmt: skip
    if is_rolling(objective):
        total = total - np.cumsum(inside.total)[: len(ahead)]
        bad = bad - np.cumsum(inside.bad)[: len(ahead)]
    is_used_up = (bad > _NOTHING) & (bad >= total * objective.allowed - _NOTHING)
    found = np.flatnonzero(is_used_up != is_over)
    return int(ahead[found[0]]) if len(found) else None


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of minutes, from ``first`` to before ``last``, in which events were bad; ``share`` of the budget."""

    first: int
    last: int
    total: float
    bad: float
    share: float


#: Bad minutes that are no further apart are one episode.
_APART: Final = 15


def episodes_of(objective: Objective, minutes: Minutes, limit: int) -> Sequence[Episode]:
    """What used most of the budget of some minutes, most first: stretches in which it burned faster than it may."""
    allowed = float(minutes.total.sum()) * objective.allowed
    burning = np.flatnonzero(minutes.bad > minutes.total * objective.allowed)
    if not len(burning) or allowed <= 0:
        return []
    breaks = np.flatnonzero(np.diff(burning) > _APART)
    starts = burning[np.concatenate(([0], breaks + 1))]
    ends = burning[np.concatenate((breaks, [len(burning) - 1]))] + 1
    total, bad = (np.concatenate(([0.0], np.cumsum(each))) for each in (minutes.total, minutes.bad))
    used = bad[ends] - bad[starts]
    chosen = np.argsort(-used, kind="stable")[:limit].tolist()
    return [
        Episode(
            minutes.first + int(starts[place]),
            minutes.first + int(ends[place]),
            float(total[ends[place]] - total[starts[place]]),
            float(used[place]),
            float(used[place]) / allowed,
        )
        for place in chosen
    ]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of UTC, from the hour ``first`` on, with its own budget, and what was left of the window's at its end."""

    first: int
    own: Budget
    left: float | None


def days_of(objective: Objective, course: Course) -> list[Day]:
    """The days of a course, the first and last of which may be in it in part."""
    found: list[Day] = []
    if not len(course.total):
        return found  # of a range that is still to come
    begin = -(course.first % DAY_HOURS)
    for place in range(begin, len(course.total), DAY_HOURS):
        start = max(0, place)
        cut = slice(start, place + DAY_HOURS)
        own = budget_of(objective, float(course.total[cut].sum()), float(course.bad[cut].sum()))
        left = float(course.left[cut][-1])
        found.append(Day(course.first + start, own, None if np.isnan(left) else left))
    return found


def minute_of(hour: int) -> int:
    """The first minute of an hour."""
    return hour * HOUR
