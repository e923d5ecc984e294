"""Native histograms of Prometheus to columns: spans and deltas become dense buckets (native histogram specification).

Bucket ``i`` of schema ``s`` reaches from ``2 ** ((i - 1) / 2 ** s)`` to ``2 ** (i / 2 ** s)``; OTLP's index is 1 less.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from spanglass_server.ingest.columnar import flatten, numpy, take_or_null
from spanglass_server.ingest.prometheus.schema import RESET_HINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.ingest.columnar import Flat
    from spanglass_server.ingest.records.checks import Checks

    Columns = dict[str, Any]

CUSTOM_SCHEMA: Final = -53
_SCHEMAS: Final = (-9, 52)  # as the specification reserves them; today's are -4 to 8
_WIDTH_MAX: Final = 1 << 16  # buckets from the lowest to the highest filled one, on one side
_GAPS_MAX: Final = 1 << 19  # empty buckets between spans, of all histograms of one request
_COUNT_MAX: Final = float(1 << 63)

#: The value that ends a series, and no other NaN (Prometheus, model/value: StaleNaN).
STALE_BITS: Final = 0x7FF0000000000002


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values are staleness markers."""
    return np.equal(np.ascontiguousarray(values).view(np.uint64), np.uint64(STALE_BITS))


@dataclass(frozen=True)
class Side:
    """The filled buckets of n histograms on one side of zero."""

    points: Any
    name: str
    is_float: NDArray[np.bool_]

    @cached_property
    def _spans(self) -> tuple[Flat, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The spans, how long each is, where it begins, and for each histogram where its spans end."""
        spans = flatten(self.points.field(f"{self.name}_spans"))
        gaps = numpy(spans.values.field("offset")).astype(np.int64)
        lengths = numpy(spans.values.field("length")).astype(np.int64)
        before = np.concatenate([[0], np.cumsum(gaps + lengths)])
        base = before[spans.offsets]
        starts = before[:-1] + gaps - base[spans.parents]
        return spans, lengths, starts, np.diff(base)

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """The index of each histogram's lowest bucket; 0 where it has none."""
        spans, _, starts, _ = self._spans
        first = np.zeros(len(self.points), np.int64)
        filled = spans.counts > 0
        first[filled] = starts[spans.offsets[:-1][filled]]
        return first

    @cached_property
    def width(self) -> NDArray[np.int64]:
        """How many buckets lie between the lowest and the highest, both included."""
        return np.where(self.size > 0, self._spans[3] - self.first, 0)

    @cached_property
    def size(self) -> NDArray[np.int64]:
        """How many buckets the spans of each histogram name."""
        spans, lengths, _, _ = self._spans
        total = np.concatenate([[0], np.cumsum(lengths)])
        return np.diff(total[spans.offsets])

    @cached_property
    def _counts(self) -> tuple[Flat, Flat]:
        return flatten(self.points.field(f"{self.name}_deltas")), flatten(self.points.field(f"{self.name}_counts"))

    @cached_property
    def is_unfit(self) -> NDArray[np.bool_]:
        """Which histograms have spans that overlap, or another number of counts than their spans name."""
        spans = self._spans[0]
        gaps = numpy(spans.values.field("offset"))
        deltas, counts = self._counts
        unfit: NDArray[np.bool_] = np.where(self.is_float, counts.counts, deltas.counts) != self.size
        unfit[spans.parents[(gaps < 0) & (spans.ranks() > 0)]] = True
        return unfit

    def buckets(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
        """The buckets of fit histograms: which histogram, index and count of each (as float where any is one)."""
        spans, lengths, starts, _ = self._spans
        lengths = np.where(chosen[spans.parents], lengths, 0)
        owner = np.repeat(spans.parents, lengths)
        index = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(len(owner))
        rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
        deltas, counts = self._counts
        running = np.concatenate([[0], np.cumsum(numpy(deltas.values), dtype=np.int64)])
        begin = deltas.offsets[:-1][owner]
        floats = self.is_float[owner]
        if not floats.any():
            return owner, index, running[begin + rank + 1] - running[begin]
        values = np.zeros(len(owner))
        values[floats] = numpy(counts.values)[(counts.offsets[:-1][owner] + rank)[floats]]
        begin, rank = begin[~floats], rank[~floats]
        values[~floats] = running[begin + rank + 1] - running[begin]
        return owner, index, values


@dataclass(frozen=True)
class Native:
    """Native histograms, a row each."""

    points: Any

    @cached_property
    def is_float(self) -> NDArray[np.bool_]:
        """Which have counts that need not be whole numbers."""
        return self.points.field("count_float").is_valid().to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """The buckets above and below zero."""
        return Side(self.points, "positive", self.is_float), Side(self.points, "negative", self.is_float)

    @cached_property
    def bounds(self) -> Flat:
        """The custom bounds."""
        return flatten(self.points.field("custom_values"))

    def check(self, checks: Checks, request_of: NDArray[np.int64], *, custom: bool) -> None:
        """Reject what the specification calls invalid, and what would unfold to too much."""
        schema = numpy(self.points.field("schema"))
        if not custom:
            low, high = _SCHEMAS
            checks.reject((schema < low) | (schema > high), "the schema of a native histogram is not known")
        unfit = self.sides[0].is_unfit | self.sides[1].is_unfit
        checks.reject(unfit, "the buckets of a native histogram do not fit its spans")
        if custom:
            self._check_custom(checks)
        else:
            gaps = np.zeros(len(schema), np.int64)
            for side in self.sides:
                checks.reject(side.width > _WIDTH_MAX, f"a native histogram spans more than {_WIDTH_MAX} buckets")
                gaps += np.where(checks.keep, side.width - side.size, 0)
            running = np.cumsum(gaps)
            before = np.concatenate([[0], running])[np.searchsorted(request_of, request_of)]
            checks.reject(running - before > _GAPS_MAX, "native histograms have too many empty buckets between spans")
        for side in self.sides:
            owner, _, values = side.buckets(checks.keep)
            negative = np.zeros(len(schema), bool)
            negative[owner[values < 0]] = True
            checks.reject(negative, "a bucket of a native histogram has a negative count")

    def _check_custom(self, checks: Checks) -> None:
        """Custom buckets have rising bounds, none below the first, and no negative or zero buckets."""
        positive, negative = self.sides
        beyond = (positive.first < 0) | (positive.first + positive.width > self.bounds.counts + 1)
        checks.reject(beyond | (negative.size > 0), "the buckets of a native histogram do not fit its custom bounds")
        bounds = numpy(self.bounds.values)
        falling = ~(bounds[1:] > bounds[:-1]) & (self.bounds.parents[1:] == self.bounds.parents[:-1])
        bad = np.zeros(len(self.points), bool)
        bad[self.bounds.parents[1:][falling]] = True
        checks.reject(bad, "the custom bounds of a native histogram must rise")

    def columns(self, *, custom: bool) -> Columns:
        """Their columns; the markers among them have none but their flags."""
        total = numpy(self.points.field("sum"))
        stale = is_stale(total)
        columns: Columns = {
            "sum": pa.array(total, mask=stale),
            "reset_hint": self._reset_hints(),
            **self._counts("count", "count"),
            **(self._custom() if custom else self._exponential()),
        }
        if stale.any():
            places = np.where(stale, -1, np.arange(len(stale)))
            columns = {name: take_or_null(values, places) for name, values in columns.items()}
        return {**columns, "flags": pa.array(np.ones(len(stale), np.uint32), mask=~stale)}

    def _reset_hints(self) -> Any:
        hints = numpy(self.points.field("reset_hint"))
        return pa.array(hints.clip(0, 255), pa.uint8(), mask=(hints <= 0) | (hints > RESET_HINTS))

    def _counts(self, name: str, stored: str) -> Columns:
        whole = self.points.field(f"{name}_int")
        if not self.is_float.any():
            return {stored: whole.fill_null(0)}
        real = numpy(self.points.field(f"{name}_float").fill_null(0))
        both = np.where(self.is_float, _rounded(real), numpy(whole.fill_null(0)))
        return {stored: pa.array(both, pa.uint64()), f"{stored}_double": pa.array(real, mask=~self.is_float)}

    def _exponential(self) -> Columns:
        columns: Columns = {
            "scale": self.points.field("schema"),
            "zero_threshold": self.points.field("zero_threshold"),
            **self._counts("zero_count", "zero_count"),
        }
        for side in self.sides:
            absent = side.width == 0
            columns[f"{side.name}_offset"] = pa.array(np.where(absent, 0, side.first - 1), pa.int32(), mask=absent)
            columns.update(self._dense(side, f"{side.name}_counts", side.first, side.width))
        return columns

    def _custom(self) -> Columns:
        widths = self.bounds.counts + 1
        return {
            "explicit_bounds": pa.ListArray.from_arrays(
                pa.array(self.bounds.offsets, pa.int32()),
                self.bounds.values,
                mask=pa.array(self.bounds.counts == 0),
            ),
            **self._dense(self.sides[0], "bucket_counts", np.zeros(len(widths), np.int64), widths),
        }

    def _dense(self, side: Side, name: str, first: NDArray[np.int64], width: NDArray[np.int64]) -> Columns:
        """Lists of all buckets from ``first`` on, ``width`` of them, empty ones too."""
        owner, index, values = side.buckets(np.ones(len(width), bool))
        offsets = np.concatenate([[0], np.cumsum(width)])
        places = offsets[owner] + index - first[owner]
        dense = np.zeros(int(offsets[-1]), values.dtype)
        dense[places] = values
        starts = pa.array(offsets, pa.int32())

        def lists(items: NDArray[Any], kind: Any, absent: NDArray[np.bool_]) -> Any:
            return pa.ListArray.from_arrays(starts, pa.array(items, kind), mask=pa.array(absent))

        if values.dtype.kind != "f":
            return {name: lists(dense, pa.uint64(), width == 0)}
        return {
            name: lists(_rounded(dense), pa.uint64(), width == 0),
            f"{name}_double": lists(dense, pa.float64(), (width == 0) | ~self.is_float),
        }


def _rounded(counts: NDArray[np.float64]) -> NDArray[np.uint64]:
    """The nearest whole numbers."""
    return np.rint(np.nan_to_num(counts, nan=0.0, posinf=_COUNT_MAX)).clip(0, _COUNT_MAX).astype(np.uint64)
