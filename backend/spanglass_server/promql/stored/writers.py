"""Series that several writers send at once: each writer's points are a series of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelColumn
from spanglass_server.promql.stored.decoding.pieces import order_by
from spanglass_server.promql.stored.decoding.writers import NEAR_MS
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.series.labels import LabelSets
    from spanglass_server.promql.stored.resolving import Chosen

START = "start_time"
#: The length of a time up to its seconds: starts of two writers are further apart.
_SECONDS = len("2023-11-14T22:11:40")


@dataclass(frozen=True, slots=True)
class _Streams:
    """Of each chosen stream the series, the start of its writer, and the times of its first and last sample."""

    series: NDArray[np.intp]
    since: NDArray[np.int64]
    first_ms: NDArray[np.int64]
    last_ms: NDArray[np.int64]


def told_apart(
    labels: LabelSets, series: NDArray[np.intp], chosen: Sequence[Chosen]
) -> tuple[LabelSets, NDArray[np.intp]]:
    """Series and the series of each stream, where writers whose samples overlap in time have series of their own.

    Their label ``start_time`` says since when each has been counting. Writers one after another are one series.
    """
    since = np.concatenate([each.since for each in chosen])
    known = since > 0
    low, high = np.full(labels.size, np.iinfo(np.int64).max), np.zeros(labels.size, np.int64)
    np.minimum.at(low, series[known], since[known])
    np.maximum.at(high, series[known], since[known])
    several = np.flatnonzero(high > low.clip(max=2**62) + NEAR_MS)
    if not len(several):
        return labels, series
    rows = np.flatnonzero(np.isin(series, several) & known)
    times = [each.times for each in chosen]
    first_ms, last_ms = (np.concatenate(column)[rows] for column in zip(*times, strict=True))
    streams = _Streams(series[rows], since[rows], first_ms, last_ms)
    writer, starts = _writers(streams)
    apart = np.isin(streams.series, _overlapping(streams, writer))
    return _separated(labels, series, rows[apart], starts[writer[apart]])


def _writers(streams: _Streams) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The writer of each stream, by series and start, and the first start of each writer."""
    order = order_by(streams.series, streams.since)
    series, since = streams.series[order], streams.since[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (series[1:] != series[:-1]) | (since[1:] - since[:-1] > NEAR_MS)
    writer = np.empty(len(order), np.int64)
    writer[order] = np.cumsum(begins) - 1
    return writer, since[begins]


def _overlapping(streams: _Streams, writer: NDArray[np.int64]) -> NDArray[np.intp]:
    """The series in which a writer sends before another one has ended."""
    size = int(writer.max()) + 1
    first, last = np.full(size, np.iinfo(np.int64).max), np.zeros(size, np.int64)
    np.minimum.at(first, writer, streams.first_ms)
    np.maximum.at(last, writer, streams.last_ms)
    series = np.zeros(size, np.int64)
    series[writer] = streams.series
    order = order_by(series, first)
    series, first, last = series[order], first[order], last[order]
    # The latest end so far within a series: series are shifted so far apart that none reaches into the next one.
    span = int(last.max() - first.min()) + 1
    end = np.maximum.accumulate(last - first.min() + series * span)
    overlaps = (series[1:] == series[:-1]) & (first[1:] - first.min() + series[1:] * span <= end[:-1])
    return np.unique(series[1:][overlaps])


def _separated(
    labels: LabelSets, series: NDArray[np.intp], rows: NDArray[np.intp], starts: NDArray[np.int64]
) -> tuple[LabelSets, NDArray[np.intp]]:
    if not len(rows):
        return labels, series
    pairs = np.zeros((len(series), 2), np.int64)
    pairs[:, 0] = series
    pairs[rows, 1] = starts
    distinct, of = np.unique(pairs, axis=0, return_inverse=True)
    texts = [f"{format_time(start * 1_000_000)[:_SECONDS]}Z" if start else "" for start in distinct[:, 1].tolist()]
    return labels.take(distinct[:, 0]).replace({START: LabelColumn.of(texts)}), of.reshape(-1)
