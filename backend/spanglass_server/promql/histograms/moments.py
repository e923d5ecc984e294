"""Mean and variance of what native histograms counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms import cells
from spanglass_server.promql.histograms.rows import is_custom
from spanglass_server.promql.histograms.sums import group_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms


def averages(histograms: Histograms) -> NDArray[np.float64]:
    """The mean observation of each histogram, NaN without any."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return histograms.sum / histograms.count


def variances(histograms: Histograms) -> NDArray[np.float64]:
    """The estimated variance of each histogram's observations.

    All observations of a bucket count as its geometric mean, those of a custom bucket as the arithmetic mean, and
    those of the zero bucket as 0.
    """
    out = np.full(len(histograms), np.nan)
    mean = averages(histograms)
    own = is_custom(histograms)
    with np.errstate(all="ignore"):
        for part in cells.of(histograms):
            rows = part.rows
            geometric = np.sqrt(part.upper * part.lower)
            value = np.where(part.upper < 0, -geometric, geometric)
            value = np.where((part.lower <= 0) & (part.upper >= 0), 0.0, value)
            value = np.where(own[rows, None], (part.upper + part.lower) / 2, value)
            squares = np.where(part.count != 0, part.count * (value - mean[rows, None]) ** 2, 0.0)
            row = np.repeat(np.arange(len(rows)), squares.shape[1])
            out[rows] = group_sums(squares.ravel(), row, len(rows)) / histograms.count[rows]
    return out
