"""Histograms with explicit bounds, as ``_bucket`` series or as native histograms with custom buckets; summaries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.histograms import CUSTOM_SCHEMA, Buckets, Histograms
from spanglass_server.promql.stored.decoding.layouts import layouts, spread
from spanglass_server.promql.stored.decoding.numbers import added_up
from spanglass_server.promql.stored.decoding.pieces import Piece, offsets_of
from spanglass_server.promql.stored.decoding.points import RESET_HINT, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.decoding.layouts import Layout
    from spanglass_server.promql.stored.decoding.points import Points

_LISTS = ("bucket_counts", "bucket_counts_double", "explicit_bounds", "count", "count_double")
_COUNTS = (
    ("layout", "hash(len(explicit_bounds), explicit_bounds)"),
    ("explicit_bounds", "explicit_bounds"),
    ("counts", "coalesce(bucket_counts_double, bucket_counts::DOUBLE[])"),
    ("count", "coalesce(count_double, count::DOUBLE)"),
)
BUCKETS = Values(_COUNTS, _LISTS, "count IS NOT NULL")
CUSTOM_BUCKETS = Values(
    (*_COUNTS, ("sum", "coalesce(sum, 'NaN'::DOUBLE)"), ("reset_hint", RESET_HINT)),
    (*_LISTS, "sum", "reset_hint"),
    "count IS NOT NULL",
)
QUANTILES = Values(
    (
        ("layout", "hash(len(quantiles), quantiles)"),
        ("quantiles", "quantiles"),
        ("quantile_values", "quantile_values"),
    ),
    ("quantiles", "quantile_values", "count"),
    "count IS NOT NULL",
)


def bucket_pieces(points: Points, *, is_delta: bool) -> tuple[Piece, ...]:
    """A series for each bound: how many observations were no larger. The last one, +Inf, has them all."""
    pieces = []
    for layout in layouts(points, "explicit_bounds", "counts", extra=1):
        has_infinity = np.isinf(layout.bounds[-1:]).any()  # sent as a bound: it is the last bucket
        bounds = layout.bounds if has_infinity else np.append(layout.bounds, np.inf)
        numbers = np.cumsum(layout.numbers, axis=1)[:, : len(bounds)]
        numbers[:, -1] = np.nan_to_num(layout.points.rows["count"].to_numpy())
        piece = spread(replace(layout, numbers=numbers), "le", bounds)
        pieces.append(added_up(piece) if is_delta else piece)
    return tuple(pieces)


def quantile_pieces(points: Points) -> tuple[Piece, ...]:
    """A series for each quantile of a summary."""
    found = layouts(points, "quantiles", "quantile_values", extra=0)
    return tuple(spread(layout, "quantile", layout.bounds) for layout in found if len(layout.bounds))


def custom_pieces(points: Points) -> tuple[Piece, ...]:
    """Native histograms with custom buckets."""
    return tuple(_custom(layout) for layout in layouts(points, "explicit_bounds", "counts", extra=1))


def _custom(layout: Layout) -> Piece:
    points, size = layout.points, len(layout.points.time_ms)
    counts = points.rows["count"].to_numpy()
    if not len(layout.bounds):
        layout.numbers[:, 0] = np.nan_to_num(counts)
    bounds = tuple(layout.bounds[np.isfinite(layout.bounds)].tolist())
    numbers = layout.numbers
    if len(bounds) < len(layout.bounds):
        numbers = np.column_stack([numbers[:, : len(bounds)], numbers[:, len(bounds) :].sum(axis=1)])
    histograms = Histograms(
        schema=np.full(size, CUSTOM_SCHEMA, np.int32),
        zero_threshold=np.zeros(size),
        zero_count=np.zeros(size),
        count=np.nan_to_num(counts),
        sum=points.rows["sum"].to_numpy(),
        reset_hint=points.rows["reset_hint"].to_numpy().astype(np.uint8),
        positive=_filled(numbers),
        negative=Buckets.none(size),
        custom=np.zeros(size, np.int32),
        bounds=(bounds,),
    )
    value = np.zeros(size)
    return Piece(points.streams, points.offsets, points.time_ms, value, points.is_stale, points.created_ms, histograms)


def _filled(numbers: NDArray[np.float64]) -> Buckets:
    row, index = np.nonzero(numbers)
    counts = np.bincount(row, minlength=len(numbers))
    return Buckets(offsets_of(counts), index.astype(np.int64), numbers[row, index])
