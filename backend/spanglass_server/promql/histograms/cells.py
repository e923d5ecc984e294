"""All buckets of native histograms from the lowest to the highest, as rectangles of rows and buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms import bounds
from spanglass_server.promql.histograms.rows import is_custom, owners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms


@dataclass(frozen=True, slots=True)
class Cells:
    """The buckets of the histograms ``rows``, each row's in rising order, filled up at its end with empty ones.

    ``size`` is how many there are in each row. The zero bucket is one of them if it is filled. Where it is as wide as
    the first buckets beside it, these begin at its end. The bounds of empty ones mean nothing.
    """

    rows: NDArray[np.intp]
    size: NDArray[np.int64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    count: NDArray[np.float64]
    is_zero: NDArray[np.bool_]


def of(histograms: Histograms) -> Iterator[Cells]:
    """Rectangles of rows with about as many buckets each, up to the next power of two; together all rows."""
    zero = (histograms.zero_count > 0) & ~is_custom(histograms)
    negative, positive = np.diff(histograms.negative.offsets), np.diff(histograms.positive.offsets)
    size = negative + zero + positive
    offsets = np.zeros(len(size) + 1, np.int64)
    np.cumsum(size, out=offsets[1:])
    flat = _flat(histograms, np.flatnonzero(zero), offsets)
    width = np.left_shift(1, np.ceil(np.log2(np.maximum(size, 1))).astype(np.int64))
    width[size == size.max(initial=0)] = size.max(initial=0)
    for one in np.unique(width).tolist():
        rows = np.flatnonzero(width == one)
        column = np.arange(max(one, 1))
        filled = column < size[rows, None]
        place = np.where(filled, offsets[rows, None] + column, 0)
        lower, upper, count = (_rectangle(values, place, filled) for values in flat)
        is_zero = zero[rows, None] & (column == negative[rows, None])
        yield Cells(rows, size[rows], lower, upper, count, is_zero)


def zero_sides(histograms: Histograms, cells: Cells) -> Cells:
    """The zero bucket reaches only to 0 on a side without other buckets, if there are some on the other side."""
    negative = np.diff(histograms.negative.offsets)[cells.rows, None] > 0
    positive = np.diff(histograms.positive.offsets)[cells.rows, None] > 0
    lower = np.where(cells.is_zero & positive & ~negative, 0.0, cells.lower)
    upper = np.where(cells.is_zero & negative & ~positive, 0.0, cells.upper)
    return Cells(cells.rows, cells.size, lower, upper, cells.count, cells.is_zero)


def _rectangle(column: NDArray[np.float64], place: NDArray[np.int64], filled: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(filled, column[place], 0.0) if len(column) else np.zeros(place.shape)


def _flat(
    histograms: Histograms, zero: NDArray[np.intp], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper bound and count of all buckets, each row's at its offset.

    In order: the negative ones from the last to the first, the zero bucket, the positive ones.
    """
    below, above = histograms.negative, histograms.positive
    of_below, of_above = owners(below), owners(above)
    near, far = bounds.of(histograms, below)
    start, end = bounds.of(histograms, above)
    threshold = histograms.zero_threshold
    near = np.maximum(near, threshold[of_below])
    start = np.where((start > 0) & (start < threshold[of_above]), threshold[of_above], start)
    place_below = offsets[of_below] + below.offsets[of_below + 1] - 1 - np.arange(len(of_below))
    # The positive ones end where the row does.
    place_above = offsets[of_above + 1] - above.offsets[of_above + 1] + np.arange(len(of_above))
    place_zero = offsets[zero] + below.offsets[zero + 1] - below.offsets[zero]
    lower, upper, count = np.empty(offsets[-1]), np.empty(offsets[-1]), np.empty(offsets[-1])
    for place, column in ((place_below, -far), (place_zero, -threshold[zero]), (place_above, start)):
        lower[place] = column
    for place, column in ((place_below, -near), (place_zero, threshold[zero]), (place_above, end)):
        upper[place] = column
    for place, column in (
        (place_below, below.count),
        (place_zero, histograms.zero_count[zero]),
        (place_above, above.count),
    ):
        count[place] = column
    return lower, upper, count
