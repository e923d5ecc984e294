"""Series with samples in one line, whatever they were before: what becomes text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms
    from spanglass_server.promql.series.labels import LabelSets
    from spanglass_server.promql.series.samples import Samples
    from spanglass_server.promql.series.vectors import Vector

#: Samples of a run: its texts stay in the processor's cache, which halves the time.
_RUN = 65_536


@dataclass(frozen=True, slots=True)
class Flat:
    """The samples of n series one after another; those of series i are ``offsets[i]:offsets[i + 1]``, one at least.

    A sample's time is ``times_ms[step]``. ``histogram`` is its place in ``histograms``, -1 for a float; None if all
    are floats.
    """

    labels: LabelSets
    offsets: NDArray[np.int64]
    times_ms: NDArray[np.int64]
    step: NDArray[np.int64]
    value: NDArray[np.float64]
    histogram: NDArray[np.int64] | None = None
    histograms: Histograms | None = None

    @classmethod
    def of_vector(cls, vector: Vector, times_ms: NDArray[np.int64]) -> Flat:
        """The cells that hold something; series without any are left out."""
        filled = vector.present if vector.histogram is None else vector.present | (vector.histogram >= 0)
        counts = np.count_nonzero(filled, axis=1)
        kept = np.flatnonzero(counts)
        whole = len(kept) == len(counts)
        cells = slice(None) if filled.all() else filled
        return cls(
            vector.labels if whole else vector.labels.take(kept),
            _offsets(counts[kept]),
            times_ms,
            np.broadcast_to(np.arange(len(times_ms)), filled.shape)[cells].reshape(-1),
            vector.values[cells].reshape(-1),
            None if vector.histogram is None else vector.histogram[cells].reshape(-1),
            vector.histograms,
        )

    @classmethod
    def of_samples(cls, samples: Samples) -> Flat:
        """All samples but the markers of staleness; series without any are left out."""
        kept = np.ones(len(samples.time_ms), np.bool_) if samples.is_stale is None else ~samples.is_stale
        counts = np.diff(np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])[samples.offsets])
        series = np.flatnonzero(counts)
        return cls(
            samples.labels.take(series),
            _offsets(counts[series]),
            samples.time_ms[kept],
            np.arange(int(np.count_nonzero(kept))),
            samples.value[kept],
            None if samples.histogram is None else samples.histogram[kept],
            samples.histograms,
        )

    def runs(self) -> Iterator[Flat]:
        """Parts of whole series, of some ``_RUN`` samples each."""
        begin = 0
        while begin < self.labels.size:
            end = int(np.searchsorted(self.offsets, self.offsets[begin] + _RUN, side="right")) - 1
            end = max(end, begin + 1)
            yield self.part(begin, end)
            begin = end

    def part(self, begin: int, end: int) -> Flat:
        """The series from ``begin`` up to ``end``."""
        first, last = int(self.offsets[begin]), int(self.offsets[end])
        return Flat(
            self.labels.take(np.arange(begin, end)),
            self.offsets[begin : end + 1] - first,
            self.times_ms,
            self.step[first:last],
            self.value[first:last],
            None if self.histogram is None else self.histogram[first:last],
            self.histograms,
        )

    def only(self, kept: NDArray[np.bool_]) -> Flat:
        """The samples for which ``kept`` holds; here a series may have none."""
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])[self.offsets]
        histogram = None if self.histogram is None else self.histogram[kept]
        return Flat(self.labels, offsets, self.times_ms, self.step[kept], self.value[kept], histogram, self.histograms)


def _offsets(counts: NDArray[np.intp]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
