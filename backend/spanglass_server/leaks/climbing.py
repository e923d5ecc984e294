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
#: Of the steps between pieces so many rise, and of all movement so much is upwards; no one is more than this share.
_RISING, _UPWARDS, _LARGEST = 0.8, 0.9, 0.35
#: Pieces before the first step of such a share of the mean are the level before the climb.
_BEGUN: Final = 0.3
#: The last third grows at least so much as the first: a cache that fills up grows less and less.
_STEADY: Final = 0.6
#: It grew by so many bytes, and by this share of what there was.
LEAST_BYTES, _LEAST_SHARE = 32 << 20, 0.1
#: Where a process has no day before the climb to compare with, a climb of less than a day doubles its memory.
_DOUBLED: Final = 2.0
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
        for climb in _climbs(row, grid):
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
    """The run of a process since its last restart: how old it is, and the most of it by the hour (oldest first)."""

    age_ms: int
    hours: Row

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
        return cls(max(ages), hours)

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
    if before_ms >= DAY_MS:
        return climb.last >= (1 + _LEAST_SHARE) * life.most_before(climb.lasts_ms)
    return climb.lasts_ms >= DAY_MS or climb.last >= _DOUBLED * climb.first


def _run(row: Row) -> int:
    """Where the values after the last restart begin."""
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
        and np.count_nonzero(steps > 0) >= _RISING * len(steps)
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
