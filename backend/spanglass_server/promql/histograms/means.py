"""Means of groups of native histograms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.arithmetic import divide
from spanglass_server.promql.histograms.merging import Merged, merged_rows
from spanglass_server.promql.histograms.rows import concat, owners, take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Buckets, Histograms


def mean_rows(histograms: Histograms, rows: NDArray[np.intp], group: NDArray[np.intp], size: int) -> Merged:
    """The mean of the chosen histograms of each group; where their sum passes the largest float, of their parts."""
    number = np.bincount(group, minlength=size).astype(np.float64)
    total = merged_rows(histograms, rows, group, size)
    out = replace(total, histograms=divide(total.histograms, np.maximum(number, 1)))
    over = np.flatnonzero(_overflown(total.histograms))
    if not len(over):
        return out
    chosen = np.isin(group, over)
    parts = merged_rows(
        histograms, rows[chosen], np.searchsorted(over, group[chosen]), len(over), 1 / number[group[chosen]]
    )
    order = np.arange(size)
    order[over] = size + np.arange(len(over))
    return replace(out, histograms=take(concat([out.histograms, parts.histograms]), order))


def _overflown(histograms: Histograms) -> NDArray[np.bool_]:
    over = np.isinf(histograms.count) | np.isinf(histograms.sum) | np.isinf(histograms.zero_count)
    for buckets in (histograms.positive, histograms.negative):
        over[_infinite(buckets)] = True
    return np.asarray(over)


def _infinite(buckets: Buckets) -> NDArray[np.intp]:
    return owners(buckets)[np.isinf(buckets.count)]
