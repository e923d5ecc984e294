"""Labelled series for anomalies: values of five minutes over weeks, with what was done to them in the last days."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.anomalies.detecting.scales import Scale

    Values = NDArray[np.float64]

HOUR, DAY, WEEK = 12, 288, 2016


@dataclass(slots=True)
class Made:
    """One series, (steps,). ``requests`` is what shares and percentiles are of.

    ``anomalies`` are first steps, ends and what was done.
    """

    kind: str
    scale: Scale
    values: Values
    requests: Values | None = None
    anomalies: list[tuple[int, int, str]] = field(default_factory=list)


def _noise(random: np.random.Generator, steps: int, size: float, memory: float) -> Values:
    found = random.normal(0, size * np.sqrt(1 - memory**2), steps)
    for step in range(1, steps):
        found[step] += memory * found[step - 1]
    return found


def _course(random: np.random.Generator, steps: int, *, weekends: bool = True) -> Values:
    """The course of days and weeks around 1: two peaks a day, less at weekends."""
    at = (np.arange(steps) / HOUR + random.uniform(0, 24)) % 24
    first, second = random.uniform(8, 11), random.uniform(14, 20)
    day = 0.35 + np.exp(-(((at - first) / 3) ** 2)) + np.exp(-(((at - second) / 4) ** 2))
    weekday = (np.arange(steps) // DAY + random.integers(0, 7)) % 7
    return day * (np.where(weekday >= 5, random.uniform(0.4, 0.8), 1.0) if weekends else 1.0)


def _requests(random: np.random.Generator, steps: int, level: float) -> Values:
    course = level * _course(random, steps) * np.exp(_noise(random, steps, 0.06, 0.8))
    return random.poisson(course).astype(float)


def _busy(random: np.random.Generator, steps: int) -> Made:
    return Made("busy operation", "count", _requests(random, steps, random.uniform(300, 5000)))


def _quiet(random: np.random.Generator, steps: int) -> Made:
    return Made("quiet operation", "count", _requests(random, steps, random.uniform(0.3, 20)))


def _nightly(random: np.random.Generator, steps: int) -> Made:
    """A job that runs for a quarter of an hour each night, beside a little traffic."""
    at, begin = np.arange(steps) % DAY, int(random.integers(0, DAY))
    level = np.where((at >= begin) & (at < begin + 3), random.uniform(200, 2000), random.uniform(2, 20))
    return Made("operation with a nightly job", "count", random.poisson(level).astype(float))


def _failures(random: np.random.Generator, steps: int) -> Made:
    requests = _requests(random, steps, random.choice([20.0, 200.0, 3000.0]))
    share = random.choice([0.0005, 0.005, 0.03]) * np.exp(_noise(random, steps, 0.2, 0.9))
    failed = random.binomial(requests.astype(int), np.minimum(share, 1.0))
    return Made("share of failed requests", "share", failed / np.maximum(requests, 1), requests)


def _durations(random: np.random.Generator, steps: int) -> Made:
    """A p95 that rises with the traffic; of few requests it scatters."""
    requests = _requests(random, steps, random.choice([60.0, 600.0, 4000.0]))
    load = requests / max(float(np.median(requests)), 1.0)
    values = random.uniform(0.02, 0.8) * (1 + 0.15 * load) * np.exp(_noise(random, steps, 0.06, 0.7))
    values *= np.exp(random.normal(0, 1, steps) * 1.3 / np.sqrt(np.maximum(requests, 4)))
    return Made("p95 of durations", "log", values, requests)


def _level(random: np.random.Generator, steps: int) -> Made:
    level = random.uniform(10, 1000)
    return Made("gauge around a level", "plain", level * (1 + _noise(random, steps, 0.08, 0.9)))


def _daily(random: np.random.Generator, steps: int) -> Made:
    course = _course(random, steps)
    return Made("gauge with days", "plain", 0.1 + 0.3 * course + _noise(random, steps, 0.02, 0.8))


def _walk(random: np.random.Generator, steps: int) -> Made:
    return Made("gauge that walks", "plain", 5000 + np.cumsum(random.normal(0, 2, steps)))


def _saw(random: np.random.Generator, steps: int) -> Made:
    """Memory that is collected every few hours."""
    period = int(random.integers(2 * HOUR, 9 * HOUR))
    at = np.arange(steps) % period
    return Made("memory that is collected", "plain", 300 + 200 * at / period + _noise(random, steps, 3, 0.0))


def _threads(random: np.random.Generator, steps: int) -> Made:
    return Made("threads", "plain", (int(random.uniform(5, 60)) + random.integers(-1, 2, steps)).astype(float))


def _heavy(random: np.random.Generator, steps: int) -> Made:
    """A gauge whose chance has heavy tails."""
    return Made("gauge with heavy tails", "plain", 100 + 4 * random.standard_t(3, steps))


def _lines(random: np.random.Generator, steps: int) -> Made:
    level = random.choice([0.2, 3.0, 60.0]) * np.exp(_noise(random, steps, 0.3, 0.9))
    return Made("lines of a log pattern", "count", random.poisson(level).astype(float))


MAKERS: Final[tuple[Callable[[np.random.Generator, int], Made], ...]] = (
    _busy, _quiet, _nightly, _failures, _durations, _level, _daily, _walk, _saw, _threads, _heavy, _lines,
)  # fmt: skip


def made_anomalies(each: int, past: int, ahead: int, seed: int = 15) -> list[Made]:
    """Return so many series of each kind, (past + ahead) steps; two in three have an anomaly in the steps ahead.

    The past has anomalies that nobody labelled, one in ten days: what is usual must not be moved by them.
    """
    random = np.random.default_rng(seed)
    made = []
    for make in MAKERS:
        for number in range(each):
            one = make(random, past + ahead)
            for _ in range(random.poisson(past / DAY / 10)):
                begin = int(random.integers(0, past - DAY))
                _disturb(random, one, begin, begin + int(random.integers(3, 24)))
            if number % 3:
                begin = past + int(random.integers(HOUR, ahead - 4 * HOUR))
                end = begin + int(random.integers(4, 36))
                what = _disturb(random, one, begin, end)
                one.anomalies.append((begin, end, what))
            made.append(one)
    return made


def _disturb(random: np.random.Generator, one: Made, begin: int, end: int) -> str:
    """Change a stretch as a fault would; say how."""
    part = slice(begin, end)
    if one.scale == "share":
        requests = one.values[part] if one.requests is None else one.requests[part]
        requests[:] = np.maximum(requests, 20)
        one.values[part] = random.binomial(requests.astype(int), float(random.uniform(0.15, 0.6))) / requests
        return "failures"
    if one.scale == "log":
        one.values[part] *= random.uniform(2, 5)
        return "slower"
    if one.scale == "count":
        level = float(np.median(one.values))
        if random.random() < 0.4 and level >= 40:
            one.values[part] = random.poisson(one.values[part] * random.uniform(0, 0.3))
            return "drop"
        high = max(level, 5.0) * random.uniform(3, 8) + 20
        one.values[part] += random.poisson(high, end - begin)
        return "spike"
    scatter = 1.4826 * float(np.median(np.abs(np.diff(one.values)))) + 0.01 * float(np.median(np.abs(one.values)))
    spread = max(scatter, 1.4826 * float(np.median(np.abs(one.values - np.median(one.values)))))
    one.values[part] += random.choice([-1, 1, 1]) * random.uniform(8, 20) * spread
    return "shift"
