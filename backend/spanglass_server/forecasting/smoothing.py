"""Exponential smoothing of many series at once, with parameters chosen for each: level, and level with damped trend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How quickly the level follows, and how quickly the trend does; 0 is no trend.
_LEVELS: Final = (0.03, 0.1, 0.25, 0.5, 0.8, 1.0)
_TRENDS: Final = (0.02, 0.1, 0.3)
#: What becomes of a trend from step to step.
DAMPING: Final = 0.97
#: Errors of the first steps tell of the start, not of the parameters.
_WARM: Final = 10


@dataclass(frozen=True, slots=True)
class Smoothed:
    """The states of each series at its last step: the level alone, and level with trend per step."""

    level: NDArray[np.float64]
    damped_level: NDArray[np.float64]
    trend: NDArray[np.float64]


def smooth(values: NDArray[np.float64]) -> Smoothed:
    """Smooth rows of ``values`` (series, steps) without gaps, each with what would have told its next steps best."""
    plain = [(level, 0.0) for level in _LEVELS]
    both = [(level, trend) for level in _LEVELS[1:] for trend in _TRENDS]
    alpha, beta = (np.array(part)[:, None] for part in zip(*plain, *both, strict=True))
    level, trend, errors = _run(values, alpha, beta)
    best = errors[: len(plain)].argmin(axis=0)
    best_damped = len(plain) + errors[len(plain) :].argmin(axis=0)
    rows = np.arange(len(values))
    return Smoothed(level[best, rows], level[best_damped, rows], trend[best_damped, rows])


def damped(steps: int) -> NDArray[np.float64]:
    """How often a damped trend has been added after 1, 2, ... steps."""
    return np.asarray(np.cumsum(DAMPING ** np.arange(1, steps + 1)))


def _run(
    values: NDArray[np.float64], alpha: NDArray[np.float64], beta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Level, trend and squared errors of the next step, for each pair of parameters and each row."""
    columns = np.ascontiguousarray(values.T)
    level = np.repeat(columns[:1], len(alpha), axis=0)
    trend, errors = np.zeros_like(level), np.zeros_like(level)
    moving = np.where(beta > 0, DAMPING, 0.0)
    for step, now in enumerate(columns[1:], 1):
        trend *= moving
        expected = level + trend
        error = now - expected
        level = expected + alpha * error
        trend += (alpha * beta) * error
        if step >= min(_WARM, len(columns) // 2):
            errors += error * error
    return level, trend, errors
