"""Series of one number a point: gauges, sums, and the counts and sums of histograms and summaries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.stored.decoding.pieces import Piece, offsets_of
from spanglass_server.promql.stored.decoding.points import Values
from spanglass_server.promql.stored.naming.identity import Form

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.decoding.points import Points

#: What is read for a form that is one number a point.
NUMBERS = {
    Form.VALUE: Values(
        (("value", "coalesce(value_double, value_int::DOUBLE)"),),
        ("value_int", "value_double"),
        "(value_int IS NOT NULL OR value_double IS NOT NULL)",
    ),
    Form.COUNT: Values(
        (("value", "coalesce(count_double, count::DOUBLE)"),), ("count", "count_double"), "count IS NOT NULL"
    ),
    Form.SUM: Values((("value", "sum"),), ("sum",), "sum IS NOT NULL"),
}


def number_piece(points: Points, *, is_delta: bool) -> Piece:
    """The samples of points that are one number each."""
    value = points.rows["value"].to_numpy().astype(np.float64, copy=False)
    piece = Piece(points.streams, points.offsets, points.time_ms, value, points.is_stale, points.created_ms)
    return added_up(piece) if is_delta else replace(piece, count=points.count, total=points.total)


def added_up(piece: Piece) -> Piece:
    """Deltas of one stream and time as one: copies count once, others are added (a sender's last push at its end).

    Values that are no numbers are left out: nothing can be added to them.
    """
    stream = np.repeat(np.arange(len(piece.offsets) - 1), np.diff(piece.offsets))
    value = np.where(np.isfinite(piece.value), piece.value, 0.0)
    order = np.lexsort((value, piece.time_ms, stream))
    stream, time, value = stream[order], piece.time_ms[order], value[order]
    is_same = _same_as_before(stream) & _same_as_before(time)
    if not is_same.any():
        return Piece(piece.streams, piece.offsets, piece.time_ms, value, piece.is_stale, piece.created_ms)
    value = np.where(is_same & _same_as_before(value), 0.0, value)
    first = np.flatnonzero(~is_same)
    return Piece(
        piece.streams,
        offsets_of(np.bincount(stream[first], minlength=len(piece.offsets) - 1)),
        time[first],
        np.add.reduceat(value, first),
        None if piece.is_stale is None else piece.is_stale[order][first],
        None if piece.created_ms is None else piece.created_ms[order][first],
    )


def _same_as_before(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    same = np.zeros(len(values), np.bool_)
    same[1:] = values[1:] == values[:-1]
    return same
