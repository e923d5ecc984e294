"""The bounds of native histograms' buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.rows import is_custom, owners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Buckets, Histograms

_LARGEST = np.finfo(np.float64).max
#: 2 ** 1024 is the least power of two past float64: the bucket that ends there ends with the largest float instead.
_OVERFLOW = 1024


def exponential(index: NDArray[np.int64], schema: NDArray[np.int32]) -> NDArray[np.float64]:
    """The upper bound of buckets by index and schema; that of the last finite bucket is the largest float."""
    schema = schema.astype(np.int64)
    per_power = np.left_shift(np.int64(1), np.maximum(schema, 0))
    power = np.where(schema >= 0, index // per_power, np.left_shift(index, np.maximum(-schema, 0)))
    part = np.where(schema >= 0, index % per_power, 0)
    with np.errstate(over="ignore"):
        bound = np.ldexp(np.exp2(part / per_power), np.clip(power, -5000, 5000).astype(np.int32))
    return np.where((power == _OVERFLOW) & (part == 0), _LARGEST, bound)


def reduced(index: NDArray[np.int64], schema: NDArray[np.int32], target: NDArray[np.int32]) -> NDArray[np.int64]:
    """The index of the bucket of a coarser schema (``target``) that holds a bucket."""
    shift = np.maximum(schema.astype(np.int64) - target, 0)
    return np.asarray(np.right_shift(index - 1, shift) + 1)


def of(histograms: Histograms, buckets: Buckets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lower and upper bound of each bucket of one side, as distances from zero but for custom buckets."""
    row = owners(buckets)
    lower, upper = _of_exponential(buckets.index, histograms.schema[row])
    if histograms.bounds and len(row):
        custom = is_custom(histograms)[row]
        lower[custom], upper[custom] = _of_custom(histograms, row[custom], buckets.index[custom])
    return lower, upper


def _of_exponential(
    index: NDArray[np.int64], schema: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds out of a table of those that there are, where many buckets have the same."""
    if not len(index):
        return np.empty(0), np.empty(0)
    least, first = int(index.min()) - 1, int(schema.min())
    width = int(index.max()) - least + 1
    height = int(schema.max()) - first + 1
    if width * height > len(index):
        return exponential(index - 1, schema), exponential(index, schema)
    schemas = np.repeat(np.arange(first, first + height, dtype=np.int32), width)
    table = exponential(np.tile(np.arange(least, least + width), height), schemas)
    place = (schema.astype(np.int64) - first) * width + (index - least)
    return table[place - 1], table[place]


def _of_custom(
    histograms: Histograms, row: NDArray[np.intp], index: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # All bounds in one column, each layout's between -Inf and +Inf.
    column = np.concatenate([np.array([-np.inf, *bounds, np.inf]) for bounds in histograms.bounds])
    start = np.cumsum([0, *(len(bounds) + 2 for bounds in histograms.bounds)])[:-1]
    place = start[histograms.custom[row]] + index
    return column[place], column[place + 1]
