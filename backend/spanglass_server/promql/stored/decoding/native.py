"""Exponential histograms as native histograms of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.promql.histograms.bounds import reduced
from spanglass_server.promql.histograms.rows import compact, owners
from spanglass_server.promql.series.histograms import Buckets, Histograms
from spanglass_server.promql.stored.decoding.pieces import Piece, offsets_of, ranges
from spanglass_server.promql.stored.decoding.points import RESET_HINT, Values
from spanglass_server.promql.stored.naming.identity import VERBATIM_SCOPE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.decoding.points import Points

#: The finest schema of Prometheus; finer scales are made coarser.
_FINEST = 8
#: How wide Prometheus makes a zero bucket of OTLP of which nothing is said.
_ZERO = "1e-128"
_SIDES = ("positive", "negative")
_THRESHOLD = (
    f"CASE WHEN zero_threshold > 0 OR scope_name = '{VERBATIM_SCOPE}' THEN coalesce(zero_threshold, 0) ELSE {_ZERO} END"
)
EXPONENTIAL = Values(
    (
        ("scale", "coalesce(scale, 0)::INTEGER"),
        ("zero_threshold", _THRESHOLD),
        ("zero_count", "coalesce(zero_count_double, zero_count::DOUBLE, 0)"),
        ("count", "coalesce(count_double, count::DOUBLE, 0)"),
        ("sum", "coalesce(sum, 'NaN'::DOUBLE)"),
        ("reset_hint", RESET_HINT),
        *((f"{side}_offset", f"coalesce({side}_offset, 0)::BIGINT") for side in _SIDES),
        *((f"{side}_counts", f"coalesce({side}_counts_double, {side}_counts::DOUBLE[])") for side in _SIDES),
    ),
    (
        *("scale", "zero_threshold", "zero_count", "zero_count_double", "count", "count_double", "sum", "reset_hint"),
        *(f"{side}_{name}" for side in _SIDES for name in ("offset", "counts", "counts_double")),
    ),
    "count IS NOT NULL",
)


def native_piece(points: Points) -> Piece:
    """The samples of exponential histograms."""
    rows = points.rows
    scale = rows["scale"].to_numpy().astype(np.int32)
    schema = np.minimum(scale, _FINEST).astype(np.int32)
    size = len(scale)
    histograms = Histograms(
        schema=schema,
        zero_threshold=_numbers(rows["zero_threshold"]),
        zero_count=_numbers(rows["zero_count"]),
        count=_numbers(rows["count"]),
        sum=_numbers(rows["sum"]),
        reset_hint=rows["reset_hint"].to_numpy().astype(np.uint8),
        positive=_buckets(rows, "positive", scale, schema),
        negative=_buckets(rows, "negative", scale, schema),
        custom=np.full(size, -1, np.int32),
    )
    return Piece(
        points.streams,
        points.offsets,
        points.time_ms,
        np.zeros(size),
        points.is_stale,
        points.created_ms,
        compact(histograms),
    )


def _buckets(rows: pa.Table, side: str, scale: NDArray[np.int32], schema: NDArray[np.int32]) -> Buckets:
    lists = rows[f"{side}_counts"].combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = _numbers(lists.flatten())
    first = rows[f"{side}_offset"].to_numpy() + 1  # OTLP's bucket i is Prometheus' i + 1
    buckets = Buckets(offsets_of(lengths), ranges(first, lengths), counts)
    return _coarser(buckets, scale, schema) if (schema != scale).any() else buckets


def _coarser(buckets: Buckets, scale: NDArray[np.int32], schema: NDArray[np.int32]) -> Buckets:
    if not len(buckets.index):
        return buckets
    row = owners(buckets)
    index = reduced(buckets.index, scale[row], schema[row])
    begins = np.ones(len(row), np.bool_)
    begins[1:] = (row[1:] != row[:-1]) | (index[1:] != index[:-1])
    first = np.flatnonzero(begins)
    counts = np.bincount(row[first], minlength=len(scale))
    return Buckets(offsets_of(counts), index[first], np.add.reduceat(buckets.count, first))


def _numbers(values: Any) -> NDArray[np.float64]:
    return values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)  # type: ignore[no-any-return]
