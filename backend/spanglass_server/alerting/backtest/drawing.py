"""Values of many ticks as few points for a chart, gathered piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from spanglass_server.alerting.backtest.answers import TestedSeries
    from spanglass_server.alerting.backtest.ticks import Ticks
    from spanglass_server.alerting.model import Key, Readings

#: Stretches of one chart: each gives its least and its greatest value, so a line has at most 800 points.
_STRETCHES = 400
#: So many keys are drawn along from the start; one that crosses a threshold later is from then on.
_MOST_KEYS = 500

#: Times, values, and what the values were compared with (None where that does not change).
_Points = tuple["NDArray[np.int64]", "NDArray[np.float64]", "NDArray[np.float64] | None"]


class Drawing:
    """The points of all keys that may be drawn."""

    def __init__(self, ticks: Ticks) -> None:
        self._wide = max(1, -(-ticks.count // _STRETCHES))
        self._points: dict[Key, list[_Points]] = {}

    def take(self, place: int, readings: Readings) -> None:
        """Take a piece whose first tick has this place in the range."""
        crossing = np.any(readings.levels > 0, axis=1).tolist()
        rows = [row for row, key in enumerate(readings.keys) if self._wanted(key, crossing=crossing[row])]
        if not rows:
            return
        chosen = _chosen(readings.values[rows], place, self._wide)
        bounds = None if readings.bounds is None else np.broadcast_to(readings.bounds, readings.values.shape)
        for row, places in zip(rows, chosen, strict=True):
            self._points[readings.keys[row]].append(
                (
                    readings.times_ns[places],
                    readings.values[row, places],
                    None if bounds is None else bounds[row, places],
                )
            )

    def _wanted(self, key: Key, *, crossing: bool) -> bool:
        if key not in self._points and (crossing or len(self._points) < _MOST_KEYS):
            self._points[key] = []
        return key in self._points

    def worst(self, keys: Iterable[Key], count: int, *, below: bool) -> list[Key]:
        """Some keys, and behind them those with the worst values, so many together."""
        found = dict.fromkeys(key for key in keys if key in self._points)

        def worst_value(key: Key) -> float:
            values = [part[1] for part in self._points[key] if not np.isnan(part[1]).all()]
            if not values:
                return np.inf
            return float(min(np.nanmin(part) for part in values) if below else -max(np.nanmax(part) for part in values))

        found |= dict.fromkeys(sorted(self._points, key=lambda key: (worst_value(key), key)))
        return list(found)[:count]

    def series(self, key: Key, changes: Collection[tuple[int, float | None]]) -> TestedSeries:
        """The points of one key, with those at which its state changed (time and value) among them."""
        parts = self._points[key]
        times = np.concatenate([part[0] for part in parts] or [np.empty(0, np.int64)])
        values = np.concatenate([part[1] for part in parts] or [np.empty(0)])
        given = [part[2] for part in parts]
        bounds = None if not given or given[0] is None else np.concatenate([part for part in given if part is not None])
        extra = {time: value for time, value in changes if value is not None}
        added = np.array(sorted(set(extra) - set(times.tolist())), np.int64)
        at = np.searchsorted(times, added)
        if bounds is not None:
            near = np.clip(at, 0, len(bounds) - 1)
            bounds = np.insert(bounds, at, bounds[near])
        times, values = (
            np.insert(times, at, added),
            np.insert(values, at, [extra[time] for time in added.tolist()]),
        )
        return {
            "labels": dict(key),
            "times_s": (times / NS_PER_SECOND).tolist(),
            "values": _numbers(values),
            "bounds": None if bounds is None else _numbers(bounds),
        }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _chosen(values: NDArray[np.float64], place: int, wide: int) -> list[NDArray[np.int64]]:
    """The places of the least and the greatest value of each stretch, of each row; the first of one without data.

    Stretches are counted from the first tick of the range, so a piece may begin and end within one.
    """
    rows, size = values.shape
    if wide == 1:
        return [np.arange(size)] * rows
    before = place % wide
    stretches = -(-(before + size) // wide)
    filled = np.full((rows, stretches * wide), np.nan)
    filled[:, before : before + size] = values
    cells = filled.reshape(rows, stretches, wide)
    absent = np.isnan(cells)
    least = np.where(absent, np.inf, cells).argmin(axis=2)
    greatest = np.where(absent, -np.inf, cells).argmax(axis=2)
    starts = np.arange(stretches) * wide - before
    first, last = np.minimum(least, greatest) + starts, np.maximum(least, greatest) + starts
    found = np.stack([first, last], axis=2).reshape(rows, -1).clip(0, size - 1)
    return [np.unique(row) for row in found]
