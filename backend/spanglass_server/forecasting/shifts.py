"""Level shifts: steps at which a series jumped, and stayed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from spanglass_server.forecasting.medians import NORMAL, median

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A level is that of so many steps: a twentieth of the series, and no fewer than this.
_PARTS, _LEAST = 20, 6
#: A jump is so many times what levels of neighbours usually differ, and such a share of the level.
_TIMES, _SHARE = 6.0, 0.02
#: So many are told of a series, the largest.
_MOST: Final = 5


class Shift(NamedTuple):
    """The step from which on the level is another one, and the levels before and after."""

    step: int
    before: float
    after: float


def find_shifts(values: NDArray[np.float64], most: int = _MOST) -> list[list[Shift]]:
    """Return the level shifts of each row of ``values`` (series, steps), by time. Take seasons out first."""
    rows, steps = values.shape
    size = max(_LEAST, steps // _PARTS)
    if steps < 3 * size:
        return [[] for _ in range(rows)]
    levels = median(np.lib.stride_tricks.sliding_window_view(values, size, axis=1))
    jumps = levels[:, size:] - levels[:, :-size]  # the jump at step i + size
    usual = NORMAL * median(np.abs(jumps))
    least = np.maximum(_TIMES * usual, _SHARE * np.abs(median(values)))
    heights = np.where(np.isnan(jumps), 0.0, np.abs(jumps))
    suspects = (heights.max(axis=1) > least) & (heights.max(axis=1) > 0)
    found: list[list[Shift]] = [[] for _ in range(rows)]
    for row in np.flatnonzero(suspects):
        found[row] = _of_one(values[row], heights[row], (float(least[row]), size), most)
    return found


def _of_one(
    values: NDArray[np.float64], heights: NDArray[np.float64], bounds: tuple[float, int], most: int
) -> list[Shift]:
    least, size = bounds
    heights = heights.copy()
    at: list[int] = []
    while len(at) < most and (step := int(heights.argmax())) >= 0 and heights[step] > max(least, 0.0):
        at.append(_exactly(values, step + size, size))
        heights[max(step - size, 0) : step + size + 1] = 0.0
    edges = [0, *sorted(set(at)), len(values)]
    levels = [float(median(values[start:stop])) for start, stop in itertools.pairwise(edges)]
    told = zip(edges[1:-1], levels[:-1], levels[1:], strict=True)
    return [Shift(step, before, after) for step, before, after in told if abs(after - before) > least]


def _exactly(values: NDArray[np.float64], step: int, size: int) -> int:
    """The step near that one before and after which the two levels leave least."""
    start, stop = max(step - size, 0), min(step + size, len(values))
    window = values[start:stop]
    before, after = median(values[start:step]), median(values[step:stop])
    wrong = np.where(np.isnan(window), 0.0, np.abs(window - before) - np.abs(window - after))
    return start + int(np.argmin(np.concatenate([[0.0], np.cumsum(wrong)])))
