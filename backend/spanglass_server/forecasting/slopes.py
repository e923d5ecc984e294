"""Slopes that a few odd values do not move, with how certain they are: Theil and Sen's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.forecasting.medians import median, ranked

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Series are cut into so many pieces, whose medians are compared in pairs: 780 of them, whatever the length.
_PIECES: Final = 40
#: So many pieces must have values.
_LEAST: Final = 5
#: The interval holds the slope 9 times out of 10; the quantile of the normal distribution for that.
_DEVIATIONS: Final = 1.645
#: What follows a random walk has neighbours that are nearly alike. More than this is not told from a line.
_MOST_ALIKE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Slopes:
    """One slope for each series, in its unit per step; NaN where too little is known.

    ``low`` and ``high`` hold it 9 times out of 10. ``confidence`` (0 to 1) is how certain it is that the series
    rises or falls at all.
    """

    per_step: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    confidence: NDArray[np.float64]


def pieces(values: NDArray[np.float64], most: int = _PIECES) -> tuple[NDArray[np.float64], int]:
    """The medians of at most so many pieces of each row, and how many steps a piece has; the first may have fewer."""
    rows, steps = values.shape
    size = max(1, -(-steps // most))
    count = -(-steps // size)
    padded = np.full((rows, count * size), np.nan)
    padded[:, count * size - steps :] = values
    return median(padded.reshape(rows, count, size)), size


def slopes(values: NDArray[np.float64]) -> Slopes:
    """Return the slope of each row of ``values`` (series, steps). Take seasons out first, if there are any."""
    middles, size = pieces(values)
    count = middles.shape[1]
    if count < 2:  # noqa: PLR2004 - a slope has two ends
        nothing = np.full(len(values), np.nan)
        return Slopes(nothing, nothing, nothing, np.zeros(len(values)))
    first, second = np.triu_indices(count, 1)
    pairs = (middles[:, second] - middles[:, first]) / ((second - first) * size)
    per_step = median(pairs)
    known = np.count_nonzero(~np.isnan(middles), axis=1)
    spread = np.sqrt(known * (known - 1) * (2 * known + 5) / 18 * _likeness(middles, per_step * size))
    number = known * (known - 1) / 2
    rising = np.nansum(np.sign(pairs), axis=1)
    certain = np.maximum(np.abs(rising) - 1, 0) / np.maximum(spread, 1)
    enough = known >= _LEAST
    blank = np.where(enough, 0.0, np.nan)
    return Slopes(
        per_step + blank,
        ranked(pairs, (number - _DEVIATIONS * spread) / 2 - 1) + blank,
        ranked(pairs, (number + _DEVIATIONS * spread) / 2) + blank,
        np.where(enough, [math.erf(one / math.sqrt(2)) for one in certain], 0.0),
    )


def _likeness(middles: NDArray[np.float64], per_piece: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many times the variance is that of independent pieces, by how like neighbours are around the line."""
    at = np.arange(middles.shape[1])
    around = middles - per_piece[:, None] * at
    around = around - median(around)[:, None]
    around = np.where(np.isnan(around), 0.0, around)
    squares = np.sum(around * around, axis=1)
    alike = np.sum(around[:, 1:] * around[:, :-1], axis=1) / np.where(squares > 0, squares, 1.0)
    alike = np.clip(alike, 0.0, _MOST_ALIKE)
    return np.asarray((1 + alike) / (1 - alike))
