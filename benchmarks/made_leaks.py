"""Labelled memory of processes, by the minute over a week: leaks, and what looks like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.leaks.climbing import GRIDS, HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

MIB: Final = float(1 << 20)
HOUR, DAY = HOUR_MS // MINUTE_MS, 24 * HOUR_MS // MINUTE_MS
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Process:
    """The memory of a process in bytes, by minutes until now; NaN where it did not run."""

    kind: str
    is_leak: bool
    values: Values

    def rows(self) -> list[Values]:
        """Its values in each of the grids that are looked at."""
        found = []
        for grid in GRIDS:
            every = grid.step_ms // MINUTE_MS
            found.append(self.values[::-1][: grid.steps * every : every][::-1])
        return found


def _level(random: np.random.Generator, base: float) -> Values:
    """A process that is well: a level that wanders a little, with the noise of an allocator."""
    wander = np.cumsum(random.normal(0, 1, WEEK))
    wander *= 0.03 * base / max(1.0, float(np.abs(wander).max()))
    return base + wander + random.normal(0, 0.004 * base, WEEK)


def _base(random: np.random.Generator) -> float:
    return float(np.exp(random.uniform(np.log(60), np.log(2000)))) * MIB


def _born(values: Values, ago: int) -> Values:
    values[: WEEK - ago] = np.nan
    return values


def _started(random: np.random.Generator, values: Values, base: float, ago: int) -> Values:
    """A start some minutes ago, which fills up within a few minutes."""
    age = np.arange(ago)
    values[WEEK - ago :] -= 0.7 * base * np.exp(-age / random.uniform(1, 6))
    return _born(values, ago)


def _leaks(random: np.random.Generator, base: float, lasts: int, times: float) -> Values:
    """A leak that began some minutes ago and made the memory so many times what it was; requests come by chance."""
    requests = random.poisson(random.uniform(5, 200), lasts).astype(float)
    return np.asarray(
        np.concatenate([np.zeros(WEEK - lasts), (times - 1) * base * np.cumsum(requests) / requests.sum()])
    )


def _day(random: np.random.Generator, swing: float) -> Values:
    at = (np.arange(WEEK) + random.integers(0, DAY)) / DAY
    return np.asarray(swing * (0.5 + 0.5 * np.sin(2 * np.pi * at)) * random.uniform(0.9, 1.1))


def _quick_leak(random: np.random.Generator) -> Values:
    base = _base(random)
    return _level(random, base) + _leaks(random, base, int(random.integers(15, 60)), random.uniform(2.2, 6))


def _leak_of_hours(random: np.random.Generator) -> Values:
    base = max(_base(random), 150 * MIB)
    return _level(random, base) + _leaks(
        random, base, int(random.integers(2 * HOUR, 12 * HOUR)), random.uniform(1.4, 5)
    )


def _leak_of_days(random: np.random.Generator) -> Values:
    base = max(_base(random), 250 * MIB)
    return _level(random, base) + _leaks(random, base, int(random.integers(2 * DAY, WEEK)), random.uniform(1.4, 5))


def _leak_since_start(random: np.random.Generator) -> Values:
    base, ago = max(_base(random), 150 * MIB), int(random.integers(2 * HOUR, 3 * DAY))
    return _started(random, _level(random, base) + _leaks(random, base, ago, random.uniform(2.6, 6)), base, ago)


def _leak_beside_days(random: np.random.Generator) -> Values:
    base = max(_base(random), 250 * MIB)
    leak = _leaks(random, base, int(random.integers(3 * DAY, WEEK)), random.uniform(2, 5))
    return _level(random, base) + _day(random, 0.15 * base) + leak


def _leak_with_restarts(random: np.random.Generator) -> Values:
    """It grows until it is ended, and a process of another id starts, which has been running for some hours or days."""
    base, ago = max(_base(random), 200 * MIB), int(random.integers(4 * HOUR, 40 * HOUR))
    values = _level(random, base)
    values[WEEK - ago :] += base * random.uniform(0.15, 0.6) / HOUR * np.arange(ago)
    return _born(values, ago)


def _leak_and_garbage(random: np.random.Generator) -> Values:
    """Garbage is collected every few minutes; what stays grows."""
    base = max(_base(random), 200 * MIB)
    leak = _leaks(random, base, int(random.integers(6 * HOUR, 2 * DAY)), random.uniform(2.2, 5))
    return _level(random, base) + leak + _garbage(random, base)


def _garbage(random: np.random.Generator, base: float) -> Values:
    every = int(random.integers(4, 40))
    return np.asarray(random.uniform(0.2, 0.6) * base * (np.arange(WEEK) % every) / every)


def _well(random: np.random.Generator) -> Values:
    return _level(random, _base(random))


def _young(random: np.random.Generator) -> Values:
    base, ago = _base(random), int(random.integers(11, 2 * HOUR))
    return _started(random, _level(random, base), base, ago)


def _cache(random: np.random.Generator) -> Values:
    """A cache fills up after the start, less and less, over minutes or hours."""
    base, ago = _base(random), int(random.integers(HOUR, DAY))
    values = _level(random, base)
    values[WEEK - ago :] += (
        random.uniform(0.5, 4) * base * (1 - np.exp(-np.arange(ago) / (ago * random.uniform(0.1, 0.4))))
    )
    return _born(values, ago)


def _days(random: np.random.Generator) -> Values:
    base = _base(random)
    return _level(random, base) + _day(random, random.uniform(0.2, 0.9) * base)


def _first_day(random: np.random.Generator) -> Values:
    """Memory that follows traffic, in a process that has not seen a whole day."""
    base, ago = _base(random), int(random.integers(3 * HOUR, 20 * HOUR))
    return _started(random, _level(random, base) + _day(random, random.uniform(0.2, 0.8) * base), base, ago)


def _first_morning(random: np.random.Generator) -> Values:
    """A process that started at night: a level until the morning, then up to three times as much by noon."""
    base, ago = max(_base(random), 100 * MIB), int(random.integers(7 * HOUR, 20 * HOUR))
    hours = np.maximum(np.arange(ago) / HOUR - random.uniform(4, 8), 0)
    values = _level(random, base)
    values[WEEK - ago :] += random.uniform(1, 2) * base * np.maximum(np.sin(2 * np.pi * hours / 24), 0)
    return _started(random, values, base, ago)


def _after_weekend(random: np.random.Generator) -> Values:
    """A process that started on a day without traffic, one or two days before the first one with it."""
    base, quiet = max(_base(random), 100 * MIB), int(random.integers(DAY, 2 * DAY))
    ago = quiet + int(random.integers(HOUR, 12 * HOUR))
    hours = np.maximum(np.arange(ago) - quiet, 0) / HOUR
    values = _level(random, base)
    values[WEEK - ago :] += random.uniform(1, 2) * base * np.maximum(np.sin(2 * np.pi * hours / 24), 0)
    return _started(random, values, base, ago)


def _to_a_limit(random: np.random.Generator) -> Values:
    """It fills evenly from its start to a limit, within hours."""
    base, ago = max(_base(random), 100 * MIB), int(random.integers(30, 12 * HOUR))
    full = random.uniform(1, 6) * HOUR
    values = _level(random, base)
    values[WEEK - ago :] += random.uniform(0.5, 5) * base * np.minimum(np.arange(ago) / full, 1)
    return _born(values, ago)


def _sawtooth(random: np.random.Generator) -> Values:
    """It fills for hours and lets go of all, again and again, in one process."""
    base, every = max(_base(random), 100 * MIB), int(random.integers(6 * HOUR, 30 * HOUR))
    phase = (np.arange(WEEK) + random.integers(0, every)) % every / every
    return np.asarray(_level(random, base) + random.uniform(0.8, 3) * base * phase)


def _jump(random: np.random.Generator) -> Values:
    base = _base(random)
    values = _level(random, base)
    values[WEEK - int(random.integers(1, 3 * DAY)) :] += base * random.uniform(0.3, 3)
    return values


def _job(random: np.random.Generator) -> Values:
    """A job that loads its data within minutes, works on it, and lets go; it did so before, or for the first time."""
    base, load = _base(random), int(random.integers(2, 9))
    more = random.uniform(0.5, 4) * base
    shape = np.concatenate([np.linspace(0, more, load), np.full(int(random.integers(5, 40)), more)])
    values = _level(random, base)
    starts = random.integers(0, WEEK - len(shape), int(random.integers(0, 8)))
    for start in (*starts, WEEK - int(random.integers(2, len(shape)))):
        part = values[start : start + len(shape)]
        part += shape[: len(part)]
    return values


def _garbage_alone(random: np.random.Generator) -> Values:
    base = _base(random)
    return _level(random, base) + _garbage(random, base)


def _walk(random: np.random.Generator) -> Values:
    base = _base(random)
    walk = np.cumsum(random.normal(0, 1, WEEK))
    return np.asarray(np.maximum(base + walk * 0.15 * base / np.sqrt(DAY), 20 * MIB))


def _restarted(random: np.random.Generator) -> Values:
    """It is restarted at odd times, and fills up each time."""
    base = _base(random)
    values, since = _level(random, base), 0
    for start in np.sort(random.integers(0, WEEK - 10, int(random.integers(2, 12)))):
        age = np.arange(WEEK - start)
        values[start:] -= 0.6 * base * np.exp(-age / random.uniform(2, 8))
        since = int(start)
    return values if since else _born(values, DAY)


LEAKS: Final[tuple[tuple[str, Callable[[np.random.Generator], Values]], ...]] = (
    ("quick leak", _quick_leak), ("leak of hours", _leak_of_hours), ("leak of days", _leak_of_days),
    ("leak since the start", _leak_since_start), ("leak beside a day's course", _leak_beside_days),
    ("leak with restarts", _leak_with_restarts), ("leak beside garbage", _leak_and_garbage),
)  # fmt: skip
WELL: Final[tuple[tuple[str, Callable[[np.random.Generator], Values]], ...]] = (
    ("level", _well), ("just started", _young), ("cache that fills", _cache), ("a day's course", _days),
    ("first day", _first_day), ("jump", _jump), ("job that loads data", _job), ("garbage", _garbage_alone),
    ("random walk", _walk), ("restarts", _restarted), ("first morning", _first_morning),
    ("day after a weekend", _after_weekend), ("fills evenly to a limit", _to_a_limit), ("sawtooth of hours", _sawtooth),
)  # fmt: skip


def make_processes(each: int, seed: int = 0) -> list[Process]:
    """So many processes of every kind."""
    random = np.random.default_rng(seed)
    return [
        Process(kind, is_leak, make(random))
        for kinds, is_leak in ((LEAKS, True), (WELL, False))
        for kind, make in kinds
        for _ in range(each)
    ]
