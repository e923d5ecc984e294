"""Forecasts of quantities in conditions: what they will be in some hours or days.

As baselines they depend on stored data and the time only: they are made at fixed times, from values on a fixed grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.alerting.baselines.samples import Grid, Quantity, Reader, Table, all_keys
from spanglass_server.forecasting.forecasts import forecast
from spanglass_server.forecasting.gaps import is_over
from spanglass_server.promql.engine import Options
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.store.part_cache import PartCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.alerting.model import Key
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.promql.series.vectors import Steps

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True)
class Course:
    """How forecasts of some reach are made: from ``past`` values on a grid, anew every ``slot`` of its steps."""

    grid: Grid
    past: int
    slot: int

    @property
    def periods(self) -> tuple[int, ...]:
        """A day and a week in steps, where the past has two of them."""
        return tuple(each // self.grid.step_ms for each in (_DAY_MS, 7 * _DAY_MS) if each * 2 <= self.past_ms)

    @property
    def past_ms(self) -> int:
        """How much of the past is known."""
        return self.past * self.grid.step_ms


#: Up to half a day ahead: three days by five minutes, anew every quarter of an hour.
_SOON: Final = Course(Grid(5 * _MINUTE_MS, 1, 144), 864, 3)
_SOON_MS: Final = 12 * _HOUR_MS
#: Farther: four weeks by the hour, anew every hour.
_LATER: Final = Course(Grid(_HOUR_MS, 1, 48), 672, 1)
#: So much must be known: a dozen values, and a quarter of the time that is forecast.
_LEAST, _LEAST_PART = 12, 0.25
#: Made at once, so that a backtest of weeks needs no more memory than one of days: 16 of 100 keys take 9 MB of values.
_AT_ONCE: Final = 16


class StoredForecasts:
    """Forecasts of all quantities over one store; safe for any thread. ``max_bytes`` of values are kept."""

    def __init__(self, options: Options | None = None, *, max_bytes: int = 32 << 20) -> None:
        self._options = options or Options(each_alone=True)
        self._cache = PartCache(max_bytes)

    def ahead(
        self, source: SeriesSource, promql: str, keys_by: Sequence[str], steps: Steps, ahead_ms: int
    ) -> tuple[tuple[Key, ...], NDArray[np.float64]]:
        """The value that each key is expected to have ``ahead_ms`` after each step: keys, and an array (keys, steps).

        NaN where less than a quarter of that time is known, or the series is over. ``promql`` gives a series a key,
        told apart by the labels ``keys_by`` (by all if empty). Raises what evaluation of the expression raises.
        """
        course = _SOON if ahead_ms <= _SOON_MS else _LATER
        reader = Reader(source, self._options, self._cache, Quantity(promql, tuple(keys_by)))
        times_ms = step_times(steps)
        slot_ms = course.slot * course.grid.step_ms
        slots, past_ms = np.divmod(times_ms, slot_ms)
        tables = self._made(reader, course, slots, ahead_ms)
        keys = all_keys(tables.values())
        numbers, of_slot = np.unique(slots, return_inverse=True)
        paths = np.stack([tables[number].rows(keys) for number in numbers.tolist()], axis=1)  # (keys, slots, places)
        place = np.rint(past_ms / course.grid.step_ms).astype(np.intp)
        return keys, paths[:, of_slot, place]

    def _made(self, reader: Reader, course: Course, slots: NDArray[np.int64], ahead_ms: int) -> dict[int, Table]:
        """For each slot the values ``ahead_ms`` after each of its steps, and after the first of the next."""
        key = ("forecast", reader.quantity, ahead_ms)
        found = {slot: self._cache.get((*key, slot)) for slot in np.unique(slots).tolist()}
        missing = [slot for slot, table in found.items() if table is None]
        for start in range(0, len(missing), _AT_ONCE):
            several = missing[start : start + _AT_ONCE]
            keys, values = _paths(reader, course, np.array(several, np.int64), ahead_ms)
            for place, slot in enumerate(several):
                found[slot] = Table.filled(keys, values[:, place])
                self._cache.put((*key, slot), found[slot], found[slot].bytes)
        return found


def _paths(
    reader: Reader, course: Course, slots: NDArray[np.int64], ahead_ms: int
) -> tuple[tuple[Key, ...], NDArray[np.float64]]:
    # what belongs to the slot's own time may not be all there yet
    places = (slots * course.slot)[:, None] - course.past + np.arange(course.past)
    table = reader.at(course.grid, places)
    number, first = course.slot + 1, max(1, round(ahead_ms / course.grid.step_ms))
    rows = table.values.reshape(-1, course.past)
    least = max(_LEAST, _LEAST_PART * ahead_ms / course.grid.step_ms)
    known = (np.count_nonzero(~np.isnan(rows), axis=1) >= least) & ~is_over(rows)
    values = np.full((len(rows), number), np.nan)
    # the last known value is one step before the slot
    values[known] = forecast(rows[known], first + number, course.periods).expected[:, first : first + number]
    return table.keys, values.reshape(len(table.keys), len(slots), number)
