"""Labelled series for forecasts and trends: values by the hour, with what they were made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

DAY, WEEK = 24, 168


@dataclass(frozen=True, slots=True)
class Made:
    """One series. ``slope`` is its true slope a step, ``period`` its true period in steps (0 for none)."""

    kind: str
    values: Values
    slope: float = 0.0
    period: int = 0
    shifts: tuple[int, ...] = ()


def _noise(random: np.random.Generator, steps: int, size: float, memory: float = 0.0) -> Values:
    """Chance that forgets: each value keeps a share of the one before."""
    found = random.normal(0, size, steps)
    for step in range(1, steps if memory else 0):
        found[step] += memory * found[step - 1]
    return found


def _traffic(random: np.random.Generator, steps: int) -> Values:
    """The course of a day with a morning's and an afternoon's peak, 0 to 1."""
    at = (np.arange(steps) + random.integers(0, DAY)) % DAY
    first, second = random.uniform(8, 11), random.uniform(13, 20)
    return np.asarray(np.exp(-(((at - first) / 3) ** 2)) + np.exp(-(((at - second) / 4) ** 2)))


def _weekend(random: np.random.Generator, steps: int) -> Values:
    day = (np.arange(steps) // DAY + random.integers(0, 7)) % 7
    return np.where(day >= 5, random.uniform(0.2, 0.7), 1.0)


def _daily(random: np.random.Generator, steps: int) -> Made:
    level = random.uniform(20, 500)
    values = level * (1 + random.uniform(0.3, 1) * _traffic(random, steps)) + _noise(random, steps, 0.05 * level, 0.5)
    return Made("traffic of days", values, period=DAY)


def _weekly(random: np.random.Generator, steps: int) -> Made:
    level = random.uniform(20, 500)
    course = (1 + random.uniform(0.5, 1.5) * _traffic(random, steps)) * _weekend(random, steps)
    return Made("traffic with weekends", level * course + _noise(random, steps, 0.05 * level, 0.5), period=WEEK)


def _growing(random: np.random.Generator, steps: int) -> Made:
    level, slope = random.uniform(20, 500), random.uniform(0.0002, 0.002)
    day = 1 + random.uniform(0.3, 0.8) * _traffic(random, steps)
    course, rise = (1 + slope * np.arange(steps)) * day, level * slope * float(day.mean())
    return Made("growing traffic", level * (course + _noise(random, steps, 0.04, 0.4)), rise, DAY)


def _disk(random: np.random.Generator, steps: int) -> Made:
    slope = random.choice([-1, 1, 1]) * random.uniform(0.00005, 0.0004)
    start = random.uniform(0.3, 0.5)
    return Made("disk", start + slope * np.arange(steps) + _noise(random, steps, 0.002, 0.6), slope)


def _cleaned(random: np.random.Generator, steps: int) -> Made:
    """A disk that is filled, and cleaned every few days."""
    period = int(random.choice([DAY, 3 * DAY, 5 * DAY, WEEK]))
    at = (np.arange(steps) + random.integers(0, period)) % period
    return Made("disk that is cleaned", 0.3 + 0.3 * at / period + _noise(random, steps, 0.004), period=period)


def _leak(random: np.random.Generator, steps: int) -> Made:
    """A leak with restarts at odd times."""
    slope, value = random.uniform(0.5, 3), np.zeros(steps)
    for step in range(1, steps):
        value[step] = 0.0 if random.random() < 0.004 else value[step - 1] + slope
    return Made("leak with restarts", 300 + value + _noise(random, steps, 3.0), slope)


def _walk(random: np.random.Generator, steps: int) -> Made:
    return Made("random walk", 1000 + np.cumsum(random.normal(0, 2, steps)))


def _level(random: np.random.Generator, steps: int) -> Made:
    level = random.uniform(10, 100)
    return Made("level", level + _noise(random, steps, 0.1 * level, random.choice([0.0, 0.7, 0.9])))


def _shifted(random: np.random.Generator, steps: int) -> Made:
    at = int(random.uniform(0.2, 0.85) * steps)
    level = random.uniform(20, 100)
    after = level * random.choice([0.5, 1.4, 2.0])
    values = np.where(np.arange(steps) < at, level, after) + _noise(random, steps, 0.04 * level)
    return Made("level shift", values, shifts=(at,))


def _counts(random: np.random.Generator, steps: int) -> Made:
    """Few errors an hour, more by day."""
    values = random.poisson(random.uniform(0.5, 6) * (0.5 + _traffic(random, steps)))
    return Made("counts", values.astype(float), period=DAY)


def _latency(random: np.random.Generator, steps: int) -> Made:
    """A p95 that rises with the traffic, skewed, with incidents."""
    level = random.uniform(0.02, 0.5)
    course = 1 + random.uniform(0.1, 0.6) * _traffic(random, steps)
    values = level * course * np.exp(_noise(random, steps, 0.08, 0.5))
    for begin in random.integers(0, steps, 3):
        values[begin : begin + int(random.integers(1, 5))] *= random.uniform(2, 6)
    return Made("p95 with incidents", values, period=DAY)


def _queue(random: np.random.Generator, steps: int) -> Made:
    """A queue that is empty but for one job a day."""
    at, hour = np.arange(steps) % DAY, random.integers(0, DAY)
    size = np.where(at == hour, random.uniform(100, 1000), np.where(at == (hour + 1) % DAY, 50.0, 0.0))
    return Made("queue of a nightly job", np.maximum(size * np.exp(_noise(random, steps, 0.2)), 0), period=DAY)


def _errors(random: np.random.Generator, steps: int) -> Made:
    return Made("counts without a day", random.poisson(random.uniform(0.3, 5), steps).astype(float))


def _threads(random: np.random.Generator, steps: int) -> Made:
    return Made("threads", (int(random.uniform(5, 50)) + random.integers(-1, 2, steps)).astype(float))


MAKERS: Final[tuple[Callable[[np.random.Generator, int], Made], ...]] = (
    _daily, _weekly, _growing, _disk, _cleaned, _leak, _walk, _level, _shifted, _counts, _latency, _queue,
    _errors, _threads,
)  # fmt: skip


def made_series(each: int, steps: int, seed: int = 15) -> list[Made]:
    """Return so many series of each kind, of so many steps."""
    random = np.random.default_rng(seed)
    return [make(random, steps) for make in MAKERS for _ in range(each)]
