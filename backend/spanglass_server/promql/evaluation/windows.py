"""Which samples are in the window of each series at each step.

The windows of a series move with the steps, so no search is needed: each sample is counted at the first step that
sees it, and the running count is where the window ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.series.vectors import Steps

#: Cells (series by steps) that are computed together: few enough to stay in the processor's cache.
_CELLS = 65_536


@dataclass(frozen=True, slots=True)
class Windows:
    """The samples ``lo:hi`` (shape (n, m)) of n series in windows ``start_ms < t <= end_ms``, at m steps.

    ``rows`` are the places of these series among all, ``offsets`` where the samples of each begin.
    ``stood_for`` and ``totals`` are count and total of thinned samples, see ``Samples``.
    """

    time_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    range_ms: int
    rows: slice
    offsets: NDArray[np.int64]
    stood_for: NDArray[np.float64] | None = None
    totals: NDArray[np.float64] | None = None

    @property
    def number(self) -> NDArray[np.float64] | NDArray[np.int64]:
        """How many samples were in each window before any were left out."""
        if self.stood_for is None:
            return self.count
        running = np.concatenate(([0.0], np.cumsum(self.stood_for)))
        return np.asarray(running[self.hi] - running[self.lo])

    @property
    def count(self) -> NDArray[np.int64]:
        """How many samples are in each window."""
        return self.hi - self.lo

    @property
    def first(self) -> NDArray[np.int64]:
        """The place of the first sample, some place if there is none."""
        return np.minimum(self.lo, len(self.value) - 1)

    @property
    def last(self) -> NDArray[np.int64]:
        """The place of the last sample, some place if there is none."""
        return np.maximum(self.hi - 1, 0)


def step_times(steps: Steps) -> NDArray[np.int64]:
    """All times of steps, in milliseconds."""
    return steps.start_ms + steps.step_ms * np.arange(steps.size, dtype=np.int64)


def windows(samples: Samples, steps: Steps, range_ms: int) -> Iterator[Windows]:
    """The windows of all series, of a few series at a time; with samples, each time."""
    end_ms = step_times(steps)
    at_once = max(1, _CELLS // max(1, steps.size))
    for begin in range(0, samples.labels.size, at_once):
        rows = slice(begin, min(begin + at_once, samples.labels.size))
        offsets = samples.offsets[rows.start : rows.stop + 1]
        part = slice(int(offsets[0]), int(offsets[-1]))
        if part.start == part.stop:
            continue
        time_ms, offsets = samples.time_ms[part], offsets - offsets[0]
        hi = window_ends(time_ms, offsets, steps, 0)
        lo = window_ends(time_ms, offsets, steps, range_ms)
        thinned = (
            None if samples.count is None else samples.count[part],
            None if samples.total is None else samples.total[part],
        )
        yield Windows(
            time_ms, samples.value[part], lo, hi, end_ms - range_ms, end_ms, range_ms, rows, offsets, *thinned
        )


def window_ends(time_ms: NDArray[np.int64], offsets: NDArray[np.int64], steps: Steps, age_ms: int) -> NDArray[np.int64]:
    """How far the samples that are at least ``age_ms`` old at each step reach, for each series: shape (n, m)."""
    size, series = steps.size, len(offsets) - 1
    base = np.repeat(np.arange(series, dtype=np.int64) * (size + 1), np.diff(offsets))
    seen = _first_step(time_ms, steps, age_ms)
    seen += base
    counts = np.bincount(seen, minlength=series * (size + 1)).reshape(series, size + 1)
    ends = np.cumsum(counts[:, :size], axis=1)
    ends += offsets[:-1, None]
    return ends


def _first_step(time_ms: NDArray[np.int64], steps: Steps, age_ms: int) -> NDArray[np.int64]:
    """The first step at which each sample is at least so old; the number of steps if there is none."""
    late = time_ms + (age_ms - steps.start_ms)
    if steps.step_ms == 0:
        return np.where(late <= 0, 0, steps.size)
    late += steps.step_ms - 1
    late //= steps.step_ms
    return np.clip(late, 0, steps.size, out=late)


def without(samples: Samples, removed: NDArray[np.bool_]) -> Samples:
    """The samples of all series but those removed."""
    if not removed.any():
        return samples
    kept = ~removed
    offsets = np.concatenate(([0], np.cumsum(kept)))[samples.offsets]
    return Samples(
        samples.labels,
        offsets,
        samples.time_ms[kept],
        samples.value[kept],
        None if samples.is_stale is None else samples.is_stale[kept],
        None if samples.histogram is None else samples.histogram[kept],
        samples.histograms,
        None if samples.created_ms is None else samples.created_ms[kept],
        None if samples.count is None else samples.count[kept],
        None if samples.total is None else samples.total[kept],
        samples.anew,
    )
