"""Services with a course over two weeks: what is usual for them, and faults whose times are known.

Each is made in the likeness of what real services do: day and night, weekends, bursts, a job at night, dips at
deploys, a new level after a release, drift, missing data, few requests; and faults of six kinds on top of it. From a
fixed seed: the same numbers on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

MINUTES_A_DAY = 1440
DAYS = 14
SIZE = DAYS * MINUTES_A_DAY
#: The first days are without faults: what is usual is learned from them.
LEARNING_DAYS = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a service from one minute to another."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Course:
    """A service minute by minute: requests a second, share of errors, median duration in seconds; NaN without data."""

    name: str
    likeness: str
    requests: Values
    errors: Values
    median_s: Values
    faults: tuple[Fault, ...]


def _daily(minutes: Values, low: float, high: float) -> Values:
    """Rises towards the afternoon, falls at night."""
    return low + (high - low) * (0.5 - 0.5 * np.cos(2 * np.pi * (minutes % MINUTES_A_DAY) / MINUTES_A_DAY))


def _seasonal(minutes: Values, _: np.random.Generator) -> tuple[Values, Values, Values]:
    return _daily(minutes, 2, 20), np.full(SIZE, 0.004), _daily(minutes, 0.04, 0.07)


def _weekly(minutes: Values, _: np.random.Generator) -> tuple[Values, Values, Values]:
    weekend = (minutes // MINUTES_A_DAY) % 7 >= 5
    return _daily(minutes, 1, 12) * np.where(weekend, 0.3, 1), np.full(SIZE, 0.003), np.full(SIZE, 0.05)


def _bursts(_: Values, random: np.random.Generator) -> tuple[Values, Values, Values]:
    requests, median = np.full(SIZE, 5.0), np.full(SIZE, 0.03)
    for start in random.integers(0, SIZE - 30, 60):
        requests[start : start + 12] *= 4
        median[start : start + 12] *= 1.4
    return requests, np.full(SIZE, 0.005), median


def _nightly_job(minutes: Values, _: np.random.Generator) -> tuple[Values, Values, Values]:
    night = (minutes % MINUTES_A_DAY >= 120) & (minutes % MINUTES_A_DAY < 165)
    return _daily(minutes, 3, 9), np.full(SIZE, 0.004), np.where(night, 0.2, 0.05)


def _deploys(_: Values, random: np.random.Generator) -> tuple[Values, Values, Values]:
    requests, median = np.full(SIZE, 8.0), np.full(SIZE, 0.04)
    for start in random.integers(0, SIZE - 30, 24):
        requests[start : start + 2] *= 0.3
        median[start : start + 4] *= 1.6
    return requests, np.full(SIZE, 0.004), median


def _new_level(minutes: Values, _: np.random.Generator) -> tuple[Values, Values, Values]:
    after = minutes > 6 * MINUTES_A_DAY + 600
    return np.full(SIZE, 6.0) * np.where(after, 1.5, 1), np.full(SIZE, 0.006), np.where(after, 0.075, 0.05)


def _drift(minutes: Values, _: np.random.Generator) -> tuple[Values, Values, Values]:
    return 4 + 4 * minutes / SIZE, np.full(SIZE, 0.005), 0.04 + 0.04 * minutes / SIZE


def _gaps(minutes: Values, random: np.random.Generator) -> tuple[Values, Values, Values]:
    requests = _daily(minutes, 2, 10)
    for start in random.integers(LEARNING_DAYS * MINUTES_A_DAY, SIZE - 60, 8):
        requests[start : start + int(random.integers(3, 20))] = np.nan
    return requests, np.full(SIZE, 0.004), np.full(SIZE, 0.06)


def _few(_: Values, __: np.random.Generator) -> tuple[Values, Values, Values]:
    return np.full(SIZE, 0.08), np.full(SIZE, 0.01), np.full(SIZE, 0.1)


def _noisy(_: Values, random: np.random.Generator) -> tuple[Values, Values, Values]:
    walk = np.clip(np.cumsum(random.normal(0, 0.01, SIZE)), -0.4, 0.4)
    return 6 * np.exp(walk), np.full(SIZE, 0.012), 0.05 * np.exp(-walk / 2)


LIKENESSES: tuple[Callable[[Values, np.random.Generator], tuple[Values, Values, Values]], ...] = (
    _seasonal, _weekly, _bursts, _nightly_job, _deploys, _new_level, _drift, _gaps, _few, _noisy,
)  # fmt: skip
#: How long each kind lasts, in minutes.
KINDS = {"failing": 20, "creeping": 60, "slow": 30, "slower and slower": 90, "silent": 25, "timeouts": 15}


def _with_fault(kind: str, size: int, requests: Values, errors: Values, median: Values) -> None:
    """Make a stretch of a course faulty, in place."""
    ramp = np.linspace(0, 1, size)
    if kind == "failing":
        errors[:] = 0.3
    elif kind == "creeping":
        errors[:] = 0.01 + 0.14 * ramp
    elif kind == "slow":
        median *= 6
    elif kind == "slower and slower":
        median *= 1 + 9 * ramp
    elif kind == "silent":
        requests[:] = 0
    else:
        errors[:], median[:] = 0.12, 3.0


def courses(seed: int = 20) -> list[Course]:
    """Thirty services: each likeness three times, two without faults every ten."""
    found = []
    minutes = np.arange(SIZE, dtype=np.float64)
    for number in range(3 * len(LIKENESSES)):
        random = np.random.default_rng([seed, number])
        make = LIKENESSES[number % len(LIKENESSES)]
        requests, errors, median = make(minutes, random)
        requests = requests * np.exp(random.normal(0, 0.05, SIZE))
        median = median * np.exp(random.normal(0, 0.05, SIZE))
        faults: list[Fault] = []
        if number % 5:
            kinds = random.permutation(list(KINDS)) if make is not _few else ["failing", "timeouts"]
            days = random.permutation(np.arange(LEARNING_DAYS, DAYS))[: len(kinds)]
            for kind, day in zip(kinds, days, strict=True):
                start = int(day) * MINUTES_A_DAY + int(random.integers(400, 1000))
                end = start + KINDS[str(kind)] * (3 if make is _few else 1)
                _with_fault(str(kind), end - start, requests[start:end], errors[start:end], median[start:end])
                faults.append(Fault(str(kind), start, end))
        name = f"{make.__name__.strip('_')}-{number // len(LIKENESSES)}"
        found.append(Course(name, make.__name__.strip("_"), requests, errors, median, tuple(faults)))
    return found


def counted(course: Course, bounds: Values, random: np.random.Generator) -> dict[str, Values]:
    """What a service's spans are counted as, cumulative by the minute: ``ok``, ``error``, and a column for each bound.

    Requests come by chance (Poisson), durations are lognormal, so few requests have figures that jump.
    """
    expected = np.nan_to_num(course.requests) * 60
    total = random.poisson(expected)
    failed = random.binomial(total, course.errors)
    spread = 0.5
    buckets, below = [], np.zeros(SIZE)
    rest = total.copy()
    for bound in bounds:
        share = _normal((np.log(bound) - np.log(course.median_s)) / spread)
        part = random.binomial(rest, np.clip((share - below) / np.maximum(1 - below, 1e-12), 0, 1))
        buckets.append(part)
        rest, below = rest - part, share
    cumulated = np.cumsum(np.cumsum(np.stack([*buckets, rest]), axis=0), axis=1)
    seconds = np.cumsum(total * course.median_s * np.exp(spread**2 / 2))
    return {
        "ok": np.cumsum(total - failed).astype(np.float64),
        "error": np.cumsum(failed).astype(np.float64),
        "sum": seconds,
        "buckets": cumulated.astype(np.float64),
    }


def _normal(values: Values) -> Values:
    """The normal distribution, by Abramowitz and Stegun 26.2.17: seven digits are more than enough here."""
    x = np.abs(values)
    t = 1 / (1 + 0.2316419 * x)
    polynomial = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    upper = np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * polynomial
    return np.where(values >= 0, 1 - upper, upper)
