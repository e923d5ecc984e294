"""The windows of range vectors whose samples are native histograms, alone or among floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.windows import window_ends, without
from spanglass_server.promql.histograms import ranges
from spanglass_server.promql.series.labels import NAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.selectors import Range
    from spanglass_server.promql.functions.invocation import Invocation

    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HistogramWindows:
    """The windows of a range vector: samples ``lo:hi`` of each series at each step, ``number`` of them histograms."""

    call: Invocation
    range: Range
    samples: ranges.Samples
    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    number: NDArray[np.int64]

    @property
    def count(self) -> NDArray[np.int64]:
        """How many samples there are."""
        return self.hi - self.lo

    def warn(self, message: str, where: Bools) -> None:
        """Warn of the metrics of some windows."""
        for name in self._names(where):
            self.call.warn(f'{message} "{name}"')

    def inform(self, message: str, where: Bools) -> None:
        """Tell something about the metrics of some windows."""
        for name in self._names(where):
            self.call.inform(f'{message} "{name}"')

    def _names(self, where: Bools) -> list[str]:
        names = self.range.samples.labels.column(NAME)
        return sorted({names.values[code] for code in np.unique(names.codes[where.any(axis=1)]).tolist()})


def histogram_windows(call: Invocation, range_: Range) -> HistogramWindows:
    """The windows of a range vector with histograms in it."""
    samples, steps = range_.samples, range_.steps
    assert samples.histogram is not None and samples.histograms is not None  # noqa: S101, PT018
    hi = window_ends(samples.time_ms, samples.offsets, steps, 0)
    lo = window_ends(samples.time_ms, samples.offsets, steps, range_.range_ms)
    seen = np.concatenate([[0], np.cumsum(samples.histogram >= 0)])
    rows = ranges.Samples(samples.time_ms, samples.histogram, samples.histograms)
    return HistogramWindows(call, range_, rows, lo, hi, seen[hi] - seen[lo])


def around(range_: Range, *, histograms: bool) -> NDArray[np.bool_]:
    """In which windows, with what is read around them, there are floats (or histograms)."""
    samples = range_.samples
    assert samples.histogram is not None  # noqa: S101
    of_kind = without(samples, (samples.histogram < 0) == histograms)
    ends = (of_kind.time_ms, of_kind.offsets, range_.steps)
    after_ms = range_.lookback_ms if range_.mode == "smoothed" else 0
    found = window_ends(*ends, -after_ms) > window_ends(*ends, range_.range_ms + range_.lookback_ms)
    return np.asarray(found)
