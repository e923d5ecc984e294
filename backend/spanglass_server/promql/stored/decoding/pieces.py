"""Pieces: the samples of one form of a metric in one part of what is stored. They never change, and are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms
    from spanglass_server.promql.stored.decoding.streams import Streams

_SERIALS = count()


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Samples of streams, one stream after another by rising time, as ``series.samples.Samples`` has them.

    With ``histograms``, sample i is histogram i, and ``value`` says nothing. Values of deltas are increases. ``count``
    and ``total`` are there if the samples are thinned.
    """

    streams: Streams
    offsets: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    is_stale: NDArray[np.bool_] | None = None
    created_ms: NDArray[np.int64] | None = None
    histograms: Histograms | None = None
    count: NDArray[np.float64] | None = None
    total: NDArray[np.float64] | None = None
    serial: int = field(default_factory=_SERIALS.__next__)

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        arrays = (*(self.offsets, self.time_ms, self.value, self.is_stale, self.created_ms, self.count, self.total),)
        held = sum(array.nbytes for array in arrays if array is not None)
        return held + self.streams.bytes + (histogram_bytes(self.histograms) if self.histograms else 0)


def histogram_bytes(histograms: Histograms) -> int:
    """About how much memory histograms take."""
    buckets = sum(len(side.index) * 16 + len(side.offsets) * 8 for side in (histograms.positive, histograms.negative))
    return len(histograms) * 41 + buckets


def ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of several ranges, one after another."""
    total = int(counts.sum())
    before = np.cumsum(counts) - counts
    return np.asarray(np.arange(total, dtype=np.int64) + np.repeat(starts - before, counts))


def offsets_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where ranges of these lengths begin and end that lie side by side."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def order_by(group: NDArray[np.int64], time_ms: NDArray[np.int64]) -> NDArray[np.intp]:
    """The order by group and time; of equals the first stays first. Sorts digit by digit, ten times as fast."""
    digits = []
    if len(time_ms) and (time_ms[1:] < time_ms[:-1]).any():
        digits += _digits(time_ms - time_ms.min())
    order = np.arange(len(group))
    for digit in (*digits, *_digits(group)):
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def _digits(values: NDArray[np.int64]) -> list[NDArray[np.uint16]]:
    most = int(values.max()) if len(values) else 0
    return [(values >> shift).astype(np.uint16) for shift in range(0, most.bit_length(), 16)]
