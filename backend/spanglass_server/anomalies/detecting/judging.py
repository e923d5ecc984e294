"""How surprising the values of one step are, by kind of series; low traffic and small changes are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.anomalies.detecting.scales import scaled, unscaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.anomalies.detecting.scales import Scale
    from spanglass_server.anomalies.detecting.usual import Usual

#: The usual range is told so wide.
_RANGE: Final = 3.0
#: A change matters that is such a share of what is usual, and so much in the unit of its kind.
_SHARE: Final = {"count": 0.3, "log": 0.25, "share": 0.5, "plain": 0.05}
#: Of fewer requests a step (of five minutes) p95 says little: chance moves it by so much over the root of their number.
LEAST_REQUESTS, _CHANCE = 20, 1.5


@dataclass(frozen=True, slots=True)
class Judged:
    """Of one step, for each series: in the series' unit, ``deviations`` beyond what is usual, whether it matters."""

    value: NDArray[np.float64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    deviations: NDArray[np.float64]
    matters: NDArray[np.bool_]


def judge(values: NDArray[np.float64], usual: Usual, step: int, scale: Scale, least: float = 0.0) -> Judged:
    """Judge the values (series,) of a step by what is usual; ``least`` is a change in their unit that matters."""
    expected = unscaled(usual.centre[:, step], scale)
    low, high = (unscaled(each, scale) for each in usual.edges(step, _RANGE))
    beyond = usual.deviations(scaled(values, scale), step)
    change = np.abs(values - expected)
    with np.errstate(invalid="ignore"):
        matters = (change >= least) & (change >= _SHARE[scale] * np.abs(expected))
    return Judged(values, expected, low, high, beyond, matters)


def judge_durations(
    values: NDArray[np.float64], requests: NDArray[np.float64], usual: Usual, step: int, least: float
) -> Judged:
    """Judge percentiles of durations; ``requests`` (series,) is how many they are of. Fewer than 20 are not judged."""
    judged = judge(values, usual, step, "log", least)
    chance = _CHANCE / np.sqrt(np.maximum(requests, 1.0))
    drawn = np.minimum(1.0, usual.deviation / chance)
    factor = np.where(judged.deviations < 0, drawn[0], drawn[1])
    deviations = np.where(requests >= LEAST_REQUESTS, judged.deviations * factor, np.nan)
    return Judged(judged.value, judged.expected, judged.low, judged.high, deviations, judged.matters)


def judge_failures(
    shares: NDArray[np.float64], requests: NDArray[np.float64], usual: Usual, step: int, least: float
) -> Judged:
    """Judge shares of failed requests, only where they rise: beyond their past and beyond Poisson's chance as well."""
    judged = judge(shares, usual, step, "share", least)
    most = np.maximum(usual.centre[:, step] + usual.room[1, :, step], 0.0)
    by_chance = scaled(shares * requests, "count") - scaled(most * requests, "count")
    deviations = np.maximum(np.minimum(judged.deviations, by_chance), 0.0)
    return Judged(judged.value, judged.expected, np.maximum(judged.low, 0.0), judged.high, deviations, judged.matters)
