"""Arithmetic of native histograms, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.merging import Merged, merged, weighted
from spanglass_server.promql.histograms.rows import compact, concat, owners
from spanglass_server.promql.series.histograms import Buckets, Histograms, ResetHint

if TYPE_CHECKING:
    from numpy.typing import NDArray


def add(left: Histograms, right: Histograms) -> Merged:
    """The sums of two columns of histograms."""
    return _combined(left, right, 1.0)


def subtract(left: Histograms, right: Histograms) -> Merged:
    """The differences; each is a gauge, for it may well be less than the one before."""
    out = _combined(left, right, -1.0)
    gauge = np.full(len(left), ResetHint.GAUGE, np.uint8)
    return replace(out, histograms=replace(out.histograms, reset_hint=gauge))


def multiply(histograms: Histograms, factor: NDArray[np.float64]) -> Histograms:
    """Each histogram times a number; by a negative one it becomes a gauge."""
    return _signed(compact(weighted(histograms, factor)), factor)


def divide(histograms: Histograms, divisor: NDArray[np.float64]) -> Histograms:
    """Each histogram by a number; by 0 its buckets are gone, as in Prometheus."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        out = replace(
            histograms,
            zero_count=histograms.zero_count / divisor,
            count=histograms.count / divisor,
            sum=histograms.sum / divisor,
            positive=_divided(histograms.positive, divisor),
            negative=_divided(histograms.negative, divisor),
        )
    return _signed(compact(out), divisor)


def equal(left: Histograms, right: Histograms) -> NDArray[np.bool_]:
    """Whether two histograms are the same but for the hint; NaN is equal to NaN here."""
    both = concat([compact(left), compact(right)])
    size = len(left)
    same = (both.schema[:size] == both.schema[size:]) & (both.custom[:size] == both.custom[size:])
    for column in (both.count, both.sum, both.zero_threshold, both.zero_count):
        same &= _alike(column[:size], column[size:])
    return np.asarray(same & _same_buckets(both.positive, size) & _same_buckets(both.negative, size))


def _combined(left: Histograms, right: Histograms, sign: float) -> Merged:
    size = len(left)
    weight = None if sign > 0 else np.repeat([1.0, sign], size)
    return merged(concat([left, right]), np.tile(np.arange(size), 2), size, weight)


def _divided(buckets: Buckets, divisor: NDArray[np.float64]) -> Buckets:
    each = np.repeat(divisor, np.diff(buckets.offsets))
    return replace(buckets, count=np.where(each == 0, 0.0, buckets.count / each))


def _signed(histograms: Histograms, factor: NDArray[np.float64]) -> Histograms:
    hint = np.where(factor < 0, ResetHint.GAUGE, histograms.reset_hint)
    return replace(histograms, reset_hint=hint.astype(np.uint8))


def _same_buckets(buckets: Buckets, size: int) -> NDArray[np.bool_]:
    length = np.diff(buckets.offsets)
    same = length[:size] == length[size:]
    half = buckets.offsets[size]
    row = owners(buckets)
    # Only rows with as many buckets on both sides are compared, entry by entry.
    left = np.flatnonzero(same[row[:half]])
    right = half + np.flatnonzero(same[row[half:] - size])
    unlike = (buckets.index[left] != buckets.index[right]) | ~_alike(buckets.count[left], buckets.count[right])
    same[row[left][unlike]] = False
    return np.asarray(same)


def _alike(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((left == right) | (np.isnan(left) & np.isnan(right)))
