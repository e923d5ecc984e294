"""Baselines: what a quantity usually is at a time, from earlier days, or from the hours before.

They are held on a grid of times and depend on stored data and the time only, never on when they are asked for: live
evaluation and a backtest see the same numbers, and live evaluation computes them once a slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.alerting.baselines.robust import Floor, spread
from spanglass_server.alerting.baselines.samples import Grid, Quantity, Reader, Table, all_keys
from spanglass_server.forecasting.medians import median
from spanglass_server.promql.engine import Options
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.store.part_cache import PartCache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.alerting.model import Key
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.promql.series.vectors import Steps

_MINUTE_MS = 60_000
_DAY_MS = 1440 * _MINUTE_MS

#: Earlier days are read every five minutes, as rollups are kept, six hours at once, as rollups are made. Counts of
#: records by bounds of durations take 10 MB for each hundred operations in that time.
_DAILY = Grid(5 * _MINUTE_MS, 72, 1)
#: The baseline of earlier days is computed at every half hour, from the half hour around it; between lie lines.
SLOT_MS = 30 * _MINUTE_MS
_SLOT = SLOT_MS // _DAILY.step_ms
_AROUND = np.arange(-_SLOT // 2, _SLOT // 2 + 1)
_DAY = _DAY_MS // _DAILY.step_ms
#: So many of a half hour's seven samples make a day count, and so many days a baseline.
_SAMPLES_MIN = 3
_DAYS_MIN = 3
_LAST_WEEK = (1, 2, 3, 4, 5, 6, 7)
#: With two weeks of data: the same weekday and its neighbours, of which one is always a day of the same kind, whatever
#: days a country takes off. So most of them are like today, and the median is theirs; later weeks add to it.
_SAME_WEEKDAY = (6, 7, 8, 13, 14, 21, 28)
_DAYS_BACK = tuple(sorted({*_LAST_WEEK, *_SAME_WEEKDAY}))

#: The hours before are read every minute, and looked at anew every five; half an hour at once: with six hours a young
#: server took 450 MB and 2.5 s for what is mostly empty.
_RECENT = Grid(_MINUTE_MS, 5, 6)
RECENT_SLOT_MS = _RECENT.step_ms * _RECENT.per_block
_HOURS_BEFORE = 360
_MINUTES_MIN = 10
#: The most recent minutes are left out, or a fault would soon be its own baseline; they are also not all there yet.
#: Six hours outweigh a fault for three; with the least of ten minutes it has five, as long as most rules wait.
_LEFT_OUT = 5

_MAX_BYTES = 64 << 20
#: Slots computed at once, so that a backtest of weeks needs no more memory than one of days.
_AT_ONCE = 48


class Baselines:
    """The baselines of all quantities over one store; safe for any thread. ``max_bytes`` of values are kept."""

    def __init__(
        self, options: Options | None = None, *, floor: Floor | None = None, max_bytes: int = 64 << 20
    ) -> None:
        self._options = options or Options(each_alone=True)
        self._floor = floor or Floor()
        self._cache = PartCache(max_bytes)

    def usual(
        self, source: SeriesSource, promql: str, keys_by: Sequence[str], steps: Steps
    ) -> tuple[tuple[Key, ...], NDArray[np.float64], NDArray[np.float64]]:
        """The usual value of each key at each step, and its robust spread: keys, and two arrays (keys, steps).

        Where at least three earlier days have data: the median of that time of day. Where only hours do, ten minutes at
        least: theirs. NaN where there is less. ``promql`` gives a series a key, told apart by the labels ``keys_by``
        (by all of them if empty). Raises what evaluation of the expression raises.
        """
        reader = Reader(source, self._options, self._cache, Quantity(promql, tuple(keys_by)))
        times_ms = step_times(steps)
        slot, past_ms = np.divmod(times_ms, SLOT_MS)
        daily = self._computed(reader, self._daily, np.concatenate([slot, slot + 1]))
        recent = self._computed(reader, self._recent, times_ms // RECENT_SLOT_MS)
        keys = all_keys([*daily.values(), *recent.values()])
        before, after = _gathered(daily, slot, keys), _gathered(daily, slot + 1, keys)
        share = past_ms / SLOT_MS
        line = before * (1 - share) + after * share
        line = np.where(np.isnan(line), np.where(np.isnan(before), after, before), line)
        found = np.where(np.isnan(line), _gathered(recent, times_ms // RECENT_SLOT_MS, keys), line)
        return keys, found[0], found[1]

    def _computed(
        self,
        reader: Reader,
        compute: Callable[[Reader, NDArray[np.int64]], tuple[tuple[Key, ...], NDArray[np.float64]]],
        slots: NDArray[np.int64],
    ) -> dict[int, Table]:
        """Baseline and spread of each slot, a table of two columns; what is kept is not computed again."""
        key = ("slot", reader.quantity, compute.__name__)
        found = {slot: self._cache.get((*key, slot)) for slot in np.unique(slots).tolist()}
        missing = [slot for slot, table in found.items() if table is None]
        for start in range(0, len(missing), _AT_ONCE):
            several = missing[start : start + _AT_ONCE]
            keys, values = compute(reader, np.array(several, np.int64))
            for place, slot in enumerate(several):
                found[slot] = Table.filled(keys, values[:, place])
                self._cache.put((*key, slot), found[slot], found[slot].bytes)
        return found

    def _daily(self, reader: Reader, slots: NDArray[np.int64]) -> tuple[tuple[Key, ...], NDArray[np.float64]]:
        """Baseline and spread at slots, from the same half hour of earlier days: (keys, slots, 2)."""
        days = np.array(_DAYS_BACK)
        places = (slots * _SLOT)[:, None, None] - (days * _DAY)[:, None] + _AROUND
        table = reader.at(_DAILY, places)
        values = table.values
        values = np.where((np.count_nonzero(~np.isnan(values), axis=-1) >= _SAMPLES_MIN)[..., None], values, np.nan)
        of_day = median(values)
        has = ~np.isnan(of_day)
        is_weekly = has[..., _chosen(days, (7, 14))].all(axis=-1, keepdims=True)
        is_taken = np.where(is_weekly, _chosen(days, _SAME_WEEKDAY), _chosen(days, _LAST_WEEK)) & has
        is_enough = np.count_nonzero(is_taken, axis=-1) >= _DAYS_MIN
        usual = np.where(is_enough, median(np.where(is_taken, of_day, np.nan)), np.nan)
        taken = np.where(is_taken[..., None], values, np.nan).reshape(*usual.shape, len(days) * len(_AROUND))
        return table.keys, np.stack([usual, spread(taken, usual, self._floor)], axis=-1)

    def _recent(self, reader: Reader, slots: NDArray[np.int64]) -> tuple[tuple[Key, ...], NDArray[np.float64]]:
        """Baseline and spread at slots, from the hours before: (keys, slots, 2)."""
        places = (slots * _RECENT.per_block)[:, None] - 1 - _LEFT_OUT - np.arange(_HOURS_BEFORE)
        table = reader.at(_RECENT, places)
        is_enough = np.count_nonzero(~np.isnan(table.values), axis=-1) >= _MINUTES_MIN
        usual = np.where(is_enough, median(table.values), np.nan)
        return table.keys, np.stack([usual, spread(table.values, usual, self._floor)], axis=-1)


def _chosen(days: NDArray[np.int64], wanted: Sequence[int]) -> NDArray[np.bool_]:
    return np.isin(days, wanted)


def _gathered(tables: dict[int, Table], slots: NDArray[np.int64], keys: Sequence[Key]) -> NDArray[np.float64]:
    """What tables of two columns say at slots: (2, keys, slots)."""
    numbers, of_slot = np.unique(slots, return_inverse=True)
    found = np.stack([tables[slot].rows(keys) for slot in numbers.tolist()], axis=1)
    return np.moveaxis(found[:, of_slot], -1, 0)
