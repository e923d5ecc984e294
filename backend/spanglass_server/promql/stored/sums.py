"""Delta points as Prometheus' counters: a running sum over what is read, of numbers and of native histograms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms import layout, rows
from spanglass_server.promql.histograms.rows import owners
from spanglass_server.promql.series.histograms import Buckets, Histograms
from spanglass_server.promql.stored.decoding.pieces import offsets_of, ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.samples import Samples


def summed(samples: Samples, is_delta: NDArray[np.bool_]) -> Samples:
    """The samples of these series as the sum of what was counted in the range up to then; others as they are."""
    counts = np.diff(samples.offsets)
    series = np.repeat(np.arange(len(counts)), counts)
    chosen = is_delta[series]
    if samples.is_stale is not None:
        chosen = chosen & ~samples.is_stale
    places = np.flatnonzero(chosen)
    value = samples.value.copy()
    value[places] = _running(value[places], series[places])
    summed_up = replace(samples, value=value, anew=np.where(is_delta, -1, 0))
    if samples.histograms is None or samples.histogram is None:
        return summed_up
    own = places[samples.histogram[places] >= 0]
    sums = _running_histograms(rows.take(samples.histograms, samples.histogram[own]), series[own])
    histogram = samples.histogram.copy()
    histogram[own] = len(samples.histograms) + np.arange(len(own))
    return replace(summed_up, histogram=histogram, histograms=rows.concat([samples.histograms, sums]))


def _running(values: NDArray[np.float64], group: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sums of the values of a group up to each; groups lie side by side.

    In extended precision, so that large values of one group cost no digits of the next one.
    """
    if not len(values):
        return values
    total = np.cumsum(values, dtype=np.longdouble)
    first = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    before = (total - values)[first]
    return (total - np.repeat(before, np.diff(np.append(first, len(values))))).astype(np.float64)


def _running_histograms(histograms: Histograms, group: NDArray[np.intp]) -> Histograms:
    size = int(group.max()) + 1 if len(group) else 0
    common, _ = layout.common(histograms, group, size)
    fitted = layout.fitted(histograms, group, common)
    return replace(
        fitted,
        zero_count=_running(fitted.zero_count, group),
        count=_running(fitted.count, group),
        sum=_running(np.nan_to_num(fitted.sum), group),
        positive=_running_buckets(fitted.positive, group),
        negative=_running_buckets(fitted.negative, group),
    )


def _running_buckets(buckets: Buckets, group: NDArray[np.intp]) -> Buckets:
    """The sum of each bucket of a group up to each of its histograms: a rectangle for each group."""
    if not len(buckets.index):
        return buckets
    row = owners(buckets)
    pairs = np.unique(np.stack([group[row], buckets.index]), axis=1)
    width = np.bincount(pairs[0], minlength=int(group.max()) + 1)
    height = np.bincount(group, minlength=len(width))
    first_pair, first_row = offsets_of(width)[:-1], offsets_of(height)[:-1]
    column = _place_in(pairs, group[row], buckets.index)
    base = offsets_of(width * height)[:-1]
    # column by column, so that each is one run of sums
    flat = np.zeros(int((width * height).sum()))
    rank = np.arange(len(group)) - first_row[group]
    np.add.at(
        flat, base[group[row]] + (column - first_pair[group[row]]) * height[group[row]] + rank[row], buckets.count
    )
    runs = np.repeat(np.arange(len(pairs[0])), height[pairs[0]])
    flat = _running(flat, runs)
    lengths = width[group]
    owner = np.repeat(np.arange(len(group)), lengths)
    nth = ranges(np.zeros(len(group), np.int64), lengths)
    counts = flat[base[group[owner]] + nth * height[group[owner]] + rank[owner]]
    return Buckets(offsets_of(lengths), pairs[1][first_pair[group[owner]] + nth], counts)


def _place_in(pairs: NDArray[np.int64], group: NDArray[np.intp], index: NDArray[np.int64]) -> NDArray[np.intp]:
    """The place of each pair of group and index among all pairs, which are sorted."""
    low = index.min()
    span = int(index.max() - low) + 1
    return np.asarray(np.searchsorted(pairs[0] * span + pairs[1] - low, group * span + index - low))
