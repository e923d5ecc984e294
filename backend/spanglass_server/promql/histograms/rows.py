"""Rows of native histograms: chosen, joined, and without empty buckets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.histograms import CUSTOM_SCHEMA, Buckets, Histograms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def blank(size: int) -> Histograms:
    """Histograms of schema 0 without an observation."""
    zeros = np.zeros(size)
    return Histograms(
        schema=np.zeros(size, np.int32),
        zero_threshold=zeros,
        zero_count=zeros,
        count=zeros,
        sum=zeros,
        reset_hint=np.zeros(size, np.uint8),
        positive=Buckets.none(size),
        negative=Buckets.none(size),
        custom=np.full(size, -1, np.int32),
    )


def is_custom(histograms: Histograms) -> NDArray[np.bool_]:
    """Which have buckets with bounds of their own."""
    return np.asarray(histograms.schema == CUSTOM_SCHEMA)


def owners(buckets: Buckets) -> NDArray[np.intp]:
    """The row that each bucket belongs to."""
    return np.repeat(np.arange(len(buckets.offsets) - 1), np.diff(buckets.offsets))


def grouped(row: NDArray[np.intp], index: NDArray[np.int64], count: NDArray[np.float64], size: int) -> Buckets:
    """Buckets that are in order already, with the row of each."""
    offsets = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=size), out=offsets[1:])
    return Buckets(offsets, index, count)


def spans(offsets: NDArray[np.int64], rows: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """New offsets for the chosen rows of a ragged column, and the places of their entries in it."""
    lengths = offsets[rows + 1] - offsets[rows]
    taken = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(lengths, out=taken[1:])
    return taken, np.repeat(offsets[rows] - taken[:-1], lengths) + np.arange(taken[-1])


def take(histograms: Histograms, rows: NDArray[np.intp]) -> Histograms:
    """Chosen rows, in the order of ``rows``; a row may be chosen more than once."""
    return Histograms(
        schema=histograms.schema[rows],
        zero_threshold=histograms.zero_threshold[rows],
        zero_count=histograms.zero_count[rows],
        count=histograms.count[rows],
        sum=histograms.sum[rows],
        reset_hint=histograms.reset_hint[rows],
        positive=_taken(histograms.positive, rows),
        negative=_taken(histograms.negative, rows),
        custom=histograms.custom[rows],
        bounds=histograms.bounds,
    )


def concat(parts: Sequence[Histograms]) -> Histograms:
    """The rows of several, one after another; equal custom bounds are one entry of ``bounds``."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return blank(0)
    places: dict[tuple[float, ...], int] = {}
    custom = [_renumbered(part, places) for part in parts]
    return Histograms(
        schema=np.concatenate([part.schema for part in parts]),
        zero_threshold=np.concatenate([part.zero_threshold for part in parts]),
        zero_count=np.concatenate([part.zero_count for part in parts]),
        count=np.concatenate([part.count for part in parts]),
        sum=np.concatenate([part.sum for part in parts]),
        reset_hint=np.concatenate([part.reset_hint for part in parts]),
        positive=_joined([part.positive for part in parts]),
        negative=_joined([part.negative for part in parts]),
        custom=np.concatenate(custom),
        bounds=tuple(places),
    )


def compact(histograms: Histograms) -> Histograms:
    """The same without empty buckets, so that equal histograms have equal columns."""
    return replace(histograms, positive=_filled(histograms.positive), negative=_filled(histograms.negative))


def _taken(buckets: Buckets, rows: NDArray[np.intp]) -> Buckets:
    offsets, places = spans(buckets.offsets, rows)
    return Buckets(offsets, buckets.index[places], buckets.count[places])


def _joined(parts: Sequence[Buckets]) -> Buckets:
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return Buckets(
        offsets, np.concatenate([part.index for part in parts]), np.concatenate([part.count for part in parts])
    )


def _filled(buckets: Buckets) -> Buckets:
    kept = buckets.count != 0
    if kept.all():
        return buckets
    return grouped(owners(buckets)[kept], buckets.index[kept], buckets.count[kept], len(buckets.offsets) - 1)


def _renumbered(part: Histograms, places: dict[tuple[float, ...], int]) -> NDArray[np.int32]:
    new = _places(part.bounds, places)
    return np.where(part.custom >= 0, new[part.custom], -1).astype(np.int32) if len(new) else part.custom


def _places(bounds: Sequence[tuple[float, ...]], places: dict[tuple[float, ...], int]) -> NDArray[np.int32]:
    return np.array([places.setdefault(one, len(places)) for one in bounds], np.int32)
