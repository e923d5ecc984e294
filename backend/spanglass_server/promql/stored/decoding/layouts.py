"""Points that have several numbers each: the buckets of histograms, the quantiles of summaries.

Points with the same bounds (or quantiles) have one *layout*, and are a rectangle of numbers. A stream whose bounds
change has points of several layouts; its markers ("no recorded value") count for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.promql.series.labels import LabelColumn
from spanglass_server.promql.stored.decoding.pieces import Piece, offsets_of
from spanglass_server.promql.stored.decoding.streams import bound_column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.stored.decoding.points import Points


@dataclass(frozen=True, slots=True)
class Layout:
    """The points of one layout: its bounds, and the numbers of each point, a row each; zeros for markers."""

    bounds: NDArray[np.float64]
    points: Points
    numbers: NDArray[np.float64]


def layouts(points: Points, bounds: str, numbers: str, *, extra: int) -> Iterator[Layout]:
    """Cut points by their layout; ``bounds`` and ``numbers`` name lists, and ``extra`` numbers are past the bounds.

    A point without lists has no bounds, and the number 0 ``extra`` times. ``layout`` is a column that is equal for
    points with equal bounds.
    """
    stale = points.is_stale if points.is_stale is not None else np.zeros(len(points.time_ms), np.bool_)
    numbered = np.flatnonzero(~stale)
    codes = points.rows["layout"].to_numpy()
    _, first, which = np.unique(codes[numbered], return_index=True, return_inverse=True)
    stream_of = points.stream_of
    for place in range(len(first)):
        own = numbered[which == place]
        has_layout = np.zeros(len(points.offsets) - 1, np.bool_)
        has_layout[stream_of[own]] = True
        chosen = np.union1d(own, np.flatnonzero(stale & has_layout[stream_of])) if stale.any() else own
        sent = points.rows[bounds][int(numbered[first[place]])].as_py() or []
        rectangle = np.zeros((len(chosen), len(sent) + extra))
        if sent:
            flat = _flat(points.rows[numbers].take(pa.array(own)))
            rectangle[np.searchsorted(chosen, own)] = flat.reshape(len(own), -1)
        yield Layout(np.array(sent, np.float64), points.keep(chosen), rectangle)


def spread(layout: Layout, label: str, bounds: NDArray[np.float64]) -> Piece:
    """A series for each column of the numbers, told apart by a label with these bounds."""
    points, width = layout.points, len(bounds)
    counts = np.diff(points.offsets)
    filled = np.flatnonzero(counts)
    of = np.repeat(filled, width)
    base = offsets_of(counts)[:-1] * width
    stream = points.stream_of
    rank = np.arange(len(stream)) - points.offsets[:-1][stream]
    places = (base[stream] + rank)[:, None] + counts[stream][:, None] * np.arange(width)
    column = bound_column(bounds)
    codes = LabelColumn(np.tile(column.codes, len(filled)), column.values)
    return Piece(
        points.streams.with_label(label, of, codes),
        offsets_of(counts[of]),
        _scattered(places, points.time_ms),
        _scattered(places, layout.numbers),
        None if points.is_stale is None else _scattered(places, points.is_stale),
        None if points.created_ms is None else _scattered(places, points.created_ms),
        count=None if points.count is None else _scattered(places, points.count),
    )


def _scattered(places: NDArray[np.int64], values: NDArray[Any]) -> NDArray[Any]:
    scattered = np.empty(places.size, values.dtype)
    scattered[places] = values if values.ndim == places.ndim else values[:, None]
    return scattered


def _flat(lists: Any) -> NDArray[np.float64]:
    """All numbers of a column of lists, one after another."""
    flat = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    return flat.flatten().to_numpy(zero_copy_only=False).astype(np.float64, copy=False)  # type: ignore[no-any-return]
