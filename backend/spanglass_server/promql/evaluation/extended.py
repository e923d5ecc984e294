"""Range vectors that are ``anchored`` or ``smoothed``: the ends of the window have values of their own.

Anchored, the last sample before the window stands at its beginning, and the last one in it at its end. Smoothed, the
values at both ends lie on the lines between the samples before and after them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.windows import step_times, window_ends, without
from spanglass_server.promql.series.samples import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.selectors import Range

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Extended:
    """Windows (n, m) with the samples around them: ``inner_lo:inner_hi`` lie strictly inside.

    ``first`` and ``last`` are those that stand for the ends; ``present`` says where there are such.
    """

    time_ms: NDArray[np.int64]
    value: Floats
    inner_lo: Places
    inner_hi: Places
    hi: Places
    first: Places
    last: Places
    present: NDArray[np.bool_]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    smoothed: bool

    def left(self, *, is_counter: bool) -> Floats:
        """The value at the beginning of each window."""
        before = np.where(self.time_ms[self.first] < self.start_ms, self.first, -1)
        if not self.smoothed:
            return self.value[self.first]
        return self._between(before, self.start_ms, self.first, is_counter=is_counter)

    def right(self, *, is_counter: bool) -> Floats:
        """The value at the end of each window."""
        is_later = (self.time_ms[self.last] > self.end_ms) & (self.last > self.first)
        before = np.where(is_later, self.last - 1, -1)
        if not self.smoothed:
            return self.value[self.last]
        return self._between(before, self.end_ms, self.last, is_counter=is_counter)

    def _between(self, before: Places, at_ms: NDArray[np.int64], otherwise: Places, *, is_counter: bool) -> Floats:
        """The values on the line from the samples ``before`` to the next ones; of ``otherwise`` where there is none."""
        after = np.minimum(np.maximum(before, 0) + 1, len(self.value) - 1)
        begin, end = self.value[before], self.value[after]
        if is_counter:
            # After a reset a counter rises from zero.
            begin = np.where(end < begin, 0.0, begin)
        begin_ms = self.time_ms[before]
        with np.errstate(invalid="ignore", divide="ignore"):
            line = begin + (end - begin) * (at_ms - begin_ms) / (self.time_ms[after] - begin_ms)
        return np.where(before >= 0, line, self.value[otherwise])


def extended(range_: Range) -> Extended | None:
    """The windows of a range vector with their ends; None without any sample. Histograms are left out."""
    samples = range_.samples
    if samples.histogram is not None:
        samples = without(samples, samples.histogram >= 0)
    if not len(samples.value):
        return None
    end_ms = step_times(range_.steps)
    start_ms = end_ms - range_.range_ms
    ends = (samples.time_ms, samples.offsets, range_.steps)
    hi, lo = window_ends(*ends, 0), window_ends(*ends, range_.range_ms)
    earliest = window_ends(*ends, range_.range_ms + range_.lookback_ms)
    inner_hi = window_ends(*ends, 1)
    smoothed = range_.mode == "smoothed"
    latest = window_ends(*ends, -range_.lookback_ms) if smoothed else hi
    first = np.where(lo > earliest, lo - 1, lo)
    last = np.where(inner_hi < latest, inner_hi, latest - 1) if smoothed else hi - 1
    some = hi > earliest
    first, last = (np.clip(place, 0, len(samples.value) - 1) for place in (first, last))
    present = some & (samples.time_ms[last] > start_ms)
    return Extended(
        samples.time_ms,
        samples.value,
        lo,
        np.maximum(inner_hi, lo),
        hi,
        first,
        last,
        present,
        start_ms,
        end_ms,
        smoothed,
    )


def with_ends(range_: Range) -> Samples:
    """The samples inside the window of the one step, with one at each end."""
    some = extended(range_)
    if some is None:
        return Samples(range_.samples.labels, np.zeros(range_.samples.labels.size + 1, np.int64), *_nothing())
    rows = np.flatnonzero(some.present[:, 0])
    left, right = some.left(is_counter=False)[rows, 0], some.right(is_counter=False)[rows, 0]
    inner = some.inner_hi[rows, 0] - some.inner_lo[rows, 0]
    sizes = inner + 2
    ends = np.cumsum(sizes)
    starts = ends - sizes
    place = np.arange(int(sizes.sum()))
    within = place - np.repeat(starts, sizes)
    sample = np.clip(np.repeat(some.inner_lo[rows, 0], sizes) + within - 1, 0, len(some.value) - 1)
    time_ms, value = some.time_ms[sample], some.value[sample]
    time_ms[starts], time_ms[ends - 1] = some.start_ms[0], some.end_ms[0]
    value[starts], value[ends - 1] = left, right
    return Samples(range_.samples.labels.take(rows), np.concatenate(([0], ends)).astype(np.int64), time_ms, value)


def _nothing() -> tuple[NDArray[np.int64], Floats]:
    return np.empty(0, np.int64), np.empty(0)
