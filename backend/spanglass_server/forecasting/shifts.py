"""Level shifts: steps at which a series jumped, and stayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from spanglass_server.forecasting.medians import NORMAL, median
from spanglass_server.forecasting.slopes import slopes

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A level is that of so many steps: a twentieth of the series, and no fewer than this.
_PARTS, _LEAST = 20, 6
#: A jump is so many times what levels of neighbours usually differ, and such a share of the level.
_TIMES, _SHARE = 6.0, 0.02
#: So many times the error of a median of independent values, 1.25 deviations over the root of their number.
_ERRORS, _OF_MEDIAN = 4.0, 1.25
#: Means differ by so many of their errors, and by this share of what medians do: those of whole numbers leap by one.
_MEAN_ERRORS, _MEAN_SHARE = 5.0, 0.5
#: Values farther from the level of their window, in deviations, count as these in means.
_FENCE: Final = 4.0
#: Where values rise or fall, levels beside a jump are those of so many windows. Slopes count from this confidence on.
_NEARBY, _CERTAIN = 4, 0.95
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
    jumps -= median(jumps)[:, None]  # a slope is no jump
    usual = NORMAL * median(np.abs(jumps))
    noise = _ERRORS * _OF_MEDIAN * _noise(values, levels, size) / np.sqrt(size)
    least = np.maximum(np.maximum(_TIMES * usual, noise), _SHARE * np.abs(median(values)))
    heights = np.where(np.isnan(jumps), 0.0, np.abs(jumps))
    suspects = (heights.max(axis=1) > least) & (heights.max(axis=1) > 0)
    found: list[list[Shift]] = [[] for _ in range(rows)]
    for row in np.flatnonzero(suspects):
        found[row] = _of_one(values[row], heights[row], (float(least[row]), size), most)
    return found


def _noise(values: NDArray[np.float64], levels: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The deviation of each row's values from the level of the window around them."""
    start = size // 2
    around = values[:, start : start + levels.shape[1]] - levels
    return NORMAL * np.nan_to_num(median(np.abs(around)))


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
    near = _NEARBY * size
    told = [
        Shift(step, _end(values[start:step], near), _end(values[step:stop][::-1], near))
        for start, step, stop in zip(edges, edges[1:], edges[2:], strict=False)
    ]
    shifts = [shift for shift in told if abs(shift.after - shift.before) > least]
    return [shift for shift in shifts if _means_differ(values, shift, size)]


def _end(values: NDArray[np.float64], near: int) -> float:
    """The level at the end of a stretch of values: of all where they do not rise or fall, else towards the end."""
    if not _rise(values):
        return float(median(values))
    values = values[-near:]
    return float(median(values + _rise(values) * np.arange(len(values) - 0.5, 0, -1)))


def _rise(values: NDArray[np.float64]) -> float:
    found = slopes(values[None])
    return float(found.per_step[0]) if found.confidence[0] >= _CERTAIN else 0.0


def _means_differ(values: NDArray[np.float64], shift: Shift, size: int) -> bool:
    """Whether the means beside a shift differ as its levels do, and more than by chance."""
    sides = values[max(shift.step - size, 0) : shift.step], values[shift.step : shift.step + size]
    inside = [_fenced(side[~np.isnan(side)]) for side in sides]
    if not all(len(side) for side in inside):
        return False
    apart = abs(float(inside[1].mean() - inside[0].mean()))
    error = np.sqrt(sum(float(side.var()) / len(side) for side in inside))
    return bool(apart > _MEAN_ERRORS * error and apart >= _MEAN_SHARE * abs(shift.after - shift.before))


def _fenced(values: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = median(values)
    away = _FENCE * NORMAL * median(np.abs(values - middle))
    return np.clip(values, middle - away, middle + away) if away > 0 else values


def _exactly(values: NDArray[np.float64], step: int, size: int) -> int:
    """The step near that one before and after which the two levels leave least."""
    start, stop = max(step - size, 0), min(step + size, len(values))
    window = values[start:stop]
    before, after = median(values[start:step]), median(values[step:stop])
    wrong = np.where(np.isnan(window), 0.0, np.abs(window - before) - np.abs(window - after))
    return start + int(np.argmin(np.concatenate([[0.0], np.cumsum(wrong)])))
