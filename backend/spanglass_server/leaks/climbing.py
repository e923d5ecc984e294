"""Whether memory climbs without end: computed over series of one process each, with nothing but numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Row = NDArray[np.float64]

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
#: Memory that was given back: so much less than the value before is a restart, or a collection of garbage.
_DROP: Final = 0.7
#: A climb is cut into so many pieces, of which the least value counts: what garbage collection leaves.
_PIECES, _LEAST_STEPS = 12, 10
#: Of the steps between pieces so many rise, by this share of the mean, and of all movement so much is upwards; no one
#: is more than this share.
_RISING, _RISES, _UPWARDS, _LARGEST = 0.8, 0.1, 0.9, 0.35
#: Pieces before the first step of such a share of the mean are the level before the climb.
_BEGUN: Final = 0.3
#: The last third grows at least so much as the first: a cache that fills up grows less and less.
_STEADY: Final = 0.6
#: It grew by so many bytes, and by this share of what there was.
LEAST_BYTES, _LEAST_SHARE = 32 << 20, 0.1
#: Where a process has no week of life to compare with, a climb of up to so long makes its memory so many times what it
#: was, one of less than a day more: it may be the course of its first day, or of the first one after a weekend.
_QUICK_MS, _TIMES_QUICK, _TIMES_IN_A_DAY, _WEEK_MS = 90 * MINUTE_MS, 2.0, 3.5, 160 * HOUR_MS
#: Going back from where a climb begins, it is the same one where it rises at least, and at most, by such shares.
_SAME: Final = (0.5, 3.0)
#: What grows from the start of a process on, or from so much of its life, fills up, unless it goes on for so long.
_START_MS, _START_SHARE, _AFTER_START_MS = 2 * MINUTE_MS, 0.2, 6 * HOUR_MS
#: The newest value is no older than so many steps.
_RECENT: Final = 3


class Grid(NamedTuple):
    """Steps of one length until now, the coarsest of which reach back farthest."""

    step_ms: int
    steps: int


#: The last hour by minutes, half a day by ten, a week by hours.
GRIDS: Final = (Grid(MINUTE_MS, 60), Grid(10 * MINUTE_MS, 72), Grid(HOUR_MS, 168))


class Climb(NamedTuple):
    """How memory climbs, in bytes, and for how long it has."""

    lasts_ms: int
    first: float
    last: float

    @property
    def bytes_per_hour(self) -> float:
        """How fast it grows."""
        return (self.last - self.first) * HOUR_MS / self.lasts_ms


def find_climb(rows: Sequence[Row]) -> Climb | None:
    """Return how the memory of a process climbs, None if it does not; ``rows`` are its values in each of the GRIDS.

    Values are in bytes, NaN where there is none, and end now. The longest climb is told.
    """
    life = _Life.of(rows)
    for grid, row in zip(reversed(GRIDS), reversed(rows), strict=True):
        for found in _climbs(row, grid):
            climb = _from_its_beginning(found, rows)
            if _is_leak(climb, life):
                return climb
    return None


def may_climb(rows: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """Which series may climb at all: those whose last values are above their least; rows of a matrix for each grid."""
    found = np.zeros(len(rows[0]), bool)
    for values in rows:
        if values.shape[1]:
            least = np.min(np.where(np.isnan(values), np.inf, values), axis=1)
            newest = np.max(np.where(np.isnan(values), -np.inf, values)[:, -_RECENT:], axis=1)
            found |= newest - least >= np.maximum(LEAST_BYTES, _LEAST_SHARE * least)
    return found


class _Life(NamedTuple):
    """The run of a process since memory came back last: how old it is, the most of it by the hour (oldest first).

    ``earlier`` is the most that it had before the run, 0 where nothing is known of that.
    """

    age_ms: int
    hours: Row
    earlier: float

    @classmethod
    def of(cls, rows: Sequence[Row]) -> _Life:
        ages = [0]
        hours = np.empty(0)
        for grid, row in zip(GRIDS, rows, strict=True):
            run = row[_run(row) :]
            known = np.flatnonzero(~np.isnan(run))
            if known.size:
                ages.append((len(run) - 1 - int(known[0])) * grid.step_ms)
            if grid is GRIDS[-1]:
                hours = run
        before = rows[-1][: len(rows[-1]) - 1 - max(ages) // HOUR_MS]
        return cls(max(ages), hours, float(np.nanmax(before)) if (~np.isnan(before)).any() else 0.0)

    def most_before(self, ago_ms: int) -> float:
        """The most that it had before a time; it is a day and more back."""
        before = self.hours[: len(self.hours) - 1 - ago_ms // HOUR_MS]
        return float(np.nanmax(before)) if (~np.isnan(before)).any() else 0.0


def _is_leak(climb: Climb, life: _Life) -> bool:
    grown = climb.last - climb.first
    if grown < max(LEAST_BYTES, _LEAST_SHARE * climb.first):
        return False
    before_ms = life.age_ms - climb.lasts_ms
    is_start = before_ms < max(_START_MS, _START_SHARE * life.age_ms)
    if is_start and climb.lasts_ms < _AFTER_START_MS:
        return False
    if _comes_back(climb, life, before_ms):
        return False
    if climb.lasts_ms >= DAY_MS or (before_ms >= DAY_MS and life.age_ms >= _WEEK_MS):
        return True
    return climb.last >= (_TIMES_QUICK if climb.lasts_ms <= _QUICK_MS else _TIMES_IN_A_DAY) * climb.first


def _comes_back(climb: Climb, life: _Life, before_ms: int) -> bool:
    """Whether it was as high before, on another day or before memory came back, or more comes back than stays."""
    if before_ms < 0:
        return 2 * (climb.last - climb.first) < life.earlier - climb.first
    most = life.most_before(climb.lasts_ms) if before_ms >= DAY_MS else 0.0
    return climb.last < (1 + _LEAST_SHARE) * max(most, life.earlier)


def _from_its_beginning(climb: Climb, rows: Sequence[Row]) -> Climb:
    """The climb with what rose before it as it does, as far back as the run of the process goes."""
    lasts_ms, level = climb.lasts_ms, climb.first
    for grid, row in zip(GRIDS, rows, strict=True):
        piece = max(1, round(climb.lasts_ms / _PIECES / grid.step_ms))
        rise = (climb.last - climb.first) * piece * grid.step_ms / climb.lasts_ms
        at, least = len(row) - 1 - lasts_ms // grid.step_ms, _run(row)
        while at - piece >= least:
            before = row[at - piece : at]
            lower = float(np.nanmin(before)) if (~np.isnan(before)).any() else np.nan
            if not _SAME[0] * rise <= level - lower <= _SAME[1] * rise:
                break
            at, level = at - piece, lower
            lasts_ms = (len(row) - 1 - at) * grid.step_ms
    return Climb(lasts_ms, level, climb.last)


def _run(row: Row) -> int:
    """Where the values after memory came back last begin: after a restart, or a large collection of garbage."""
    known = np.flatnonzero(~np.isnan(row))
    drops = np.flatnonzero(row[known[1:]] < _DROP * row[known[:-1]])
    return int(known[drops[-1] + 1]) if drops.size else 0


def _climbs(row: Row, grid: Grid) -> Iterable[Climb]:
    """Climbs that reach to now: of all values and of those since the last restart, from every later beginning."""
    if np.isnan(row[-_RECENT:]).all():
        return
    for first in sorted({0, _run(row)}):
        known = np.flatnonzero(~np.isnan(row[first:])) + first
        if known.size < _LEAST_STEPS:
            continue
        for start in np.unique(np.linspace(known[0], known[-1] - _LEAST_STEPS + 1, _PIECES).astype(int)):
            climb = _steady(row[start : known[-1] + 1], grid.step_ms)
            if climb is not None:
                yield climb


def _steady(values: Row, step_ms: int) -> Climb | None:
    """The climb that values are, if they rise all along, without a jump, and not less and less."""
    pieces = min(_PIECES, len(values))
    filled = np.where(np.isnan(values), np.inf, values)
    levels = np.minimum.reduceat(filled, np.arange(pieces) * len(values) // pieces)
    levels = levels[np.isfinite(levels)]
    if len(levels) < _LEAST_STEPS:
        return None
    steps = np.diff(levels)
    grown, moved = float(steps.sum()), float(np.abs(steps).sum())
    third = len(steps) // 3
    is_steady = (
        grown > 0
        and np.count_nonzero(steps > _RISES * grown / len(steps)) >= _RISING * len(steps)
        and grown >= (2 * _UPWARDS - 1) * moved
        and steps.max() <= _LARGEST * grown
        and steps[-third:].sum() >= _STEADY * steps[:third].sum()
    )
    if not is_steady:
        return None
    began = int(np.argmax(steps >= _BEGUN * grown / len(steps)))
    if len(levels) - began < _LEAST_STEPS:
        return None
    lasts_ms = round((len(values) - 1) * step_ms * (1 - began / len(steps)))
    return Climb(lasts_ms, float(levels[began]), float(levels[-1]))
