"""Heatmaps from classic histograms, by ``le``, and from native ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.dashboards.data.lines import Heatmap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.vectors import Vector

#: Native histograms have hundreds of buckets: more than these are joined pair by pair.
MAX_ROWS = 60


def heatmap_of(vector: Vector) -> Heatmap | None:
    """Counts by bucket and time; None for series that are no histograms."""
    if vector.histogram is not None and vector.histograms is not None and (vector.histogram >= 0).any():
        return _native(vector)
    if "le" in vector.labels.columns:
        return _classic(vector)
    return None


def _classic(vector: Vector) -> Heatmap | None:
    """Series of one bound are added up; a bucket holds what its bound has more than the one below."""
    column = vector.labels.column("le")
    bounds = np.array([_number(value) for value in column.values])
    values = np.where(vector.present, vector.values, 0.0)
    rising = np.unique(bounds[~np.isnan(bounds)])
    if not len(rising):
        return None
    cumulative = np.zeros((len(rising), values.shape[1]))
    of_series = bounds[column.codes]
    kept = ~np.isnan(of_series)
    np.add.at(cumulative, np.searchsorted(rising, of_series[kept]), values[kept])
    counts = np.diff(np.maximum.accumulate(cumulative, axis=0), axis=0, prepend=0.0)
    return Heatmap(rising.tolist(), counts)


def _native(vector: Vector) -> Heatmap:
    """Buckets above zero of all series together, on the bounds of the coarsest schema among them."""
    assert vector.histogram is not None  # noqa: S101 - the caller looked
    assert vector.histograms is not None  # noqa: S101
    held = vector.histograms
    rows, times = np.nonzero(vector.histogram >= 0)
    chosen = vector.histogram[rows, times]
    starts, ends = held.positive.offsets[chosen], held.positive.offsets[chosen + 1]
    lengths = ends - starts
    cells = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    schema = np.repeat(held.schema[chosen], lengths).astype(np.float64)
    upper = np.exp2(held.positive.index[cells] / np.exp2(schema))
    exponent = np.log2(upper)
    width = _width(exponent)
    place = np.ceil(np.round(exponent / width, 9)).astype(np.int64)
    zero = held.zero_count[chosen]
    low, high = (int(place.min()), int(place.max())) if len(place) else (0, 0)
    counts = np.zeros((high - low + 2, vector.histogram.shape[1]))
    np.add.at(counts, (place - low + 1, np.repeat(times, lengths)), held.positive.count[cells])
    np.add.at(counts, (np.zeros(len(times), np.intp), times), zero)
    return Heatmap([0.0, *np.exp2(np.arange(low, high + 1) * width).tolist()], counts)


def _width(exponent: NDArray[np.float64]) -> float:
    """How wide a row is, in powers of two, so that there are not too many."""
    spread = float(exponent.max() - exponent.min()) if len(exponent) else 0.0
    width = 0.125
    while spread / width > MAX_ROWS:
        width *= 2
    return width


def _number(text: str) -> float:
    try:
        return float(text) if text else np.nan
    except ValueError:
        return np.nan
