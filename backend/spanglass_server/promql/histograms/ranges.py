"""Windows of native histograms: rates, differences, sums and means over time, changes and resets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.arithmetic import divide, equal, multiply
from spanglass_server.promql.histograms.merging import merged_rows
from spanglass_server.promql.histograms.resets import was_reset
from spanglass_server.promql.histograms.rows import is_custom, take
from spanglass_server.promql.series.histograms import ResetHint

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.histograms.merging import Merged
    from spanglass_server.promql.series.histograms import Histograms

#: Pairs of histograms that are compared at once.
_PAIRS = 50_000


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of series one after another; ``row`` is the place of each in ``histograms``, -1 for a float."""

    time_ms: NDArray[np.int64]
    row: NDArray[np.int64]
    histograms: Histograms

    def is_histogram(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which samples are histograms."""
        return np.asarray(self.row[places] >= 0)


@dataclass(frozen=True, slots=True)
class Window:
    """The samples ``lo:hi`` of k windows ``start_ms < t <= end_ms``, at least two in each, all histograms."""

    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]

    @property
    def last(self) -> NDArray[np.int64]:
        """The place of the last sample of each window."""
        return self.hi - 1


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in each window, and what is to be said of it.

    ``is_gauge`` and ``is_counter``: some histogram that counts says that it is one, or does not. ``is_reduced``: custom
    bounds differed where histograms were subtracted, and where what was counted before a reset was added.
    """

    merged: Merged
    is_gauge: NDArray[np.bool_]
    is_counter: NDArray[np.bool_]
    is_reduced: tuple[bool, bool] = (False, False)


def reset_before(samples: Samples) -> NDArray[np.bool_]:
    """Whether the counter was reset before each sample; between a float and a histogram it was."""
    return _between(samples, lambda now, before: was_reset(samples.histograms, now, before))


def changed_before(samples: Samples) -> NDArray[np.bool_]:
    """Whether each histogram differs from the sample before."""

    def differs(now: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.bool_]:
        return ~equal(take(samples.histograms, now), take(samples.histograms, before))

    return _between(samples, differs)


def increase(samples: Samples, window: Window, reset: NDArray[np.bool_]) -> Change:
    """How much counters rose from the first to the last sample of each window, resets taken into account."""
    cell = np.arange(len(window.lo))
    # A reset right after the first sample: what it counted is no part of the increase, nor is its layout; the custom
    # bounds of the second are, as in Prometheus.
    counted = np.flatnonzero(~reset[window.lo + 1])
    second = np.flatnonzero(reset[window.lo + 1] & is_custom(samples.histograms)[samples.row[window.lo + 1]])
    places = np.flatnonzero(reset)
    begin, end = np.searchsorted(places, window.lo + 2), np.searchsorted(places, window.hi)
    number = end - begin
    inner = np.repeat(begin - np.cumsum(number) + number, number) + np.arange(number.sum())
    rows = samples.row[np.concatenate([window.last, window.lo[counted], window.lo[second] + 1, places[inner] - 1])]
    weight = np.repeat([1.0, -1.0, 0.0, 1.0], [len(cell), len(counted), len(second), len(inner)])
    group = np.concatenate([cell, counted, second, np.repeat(cell, number)])
    merged = merged_rows(samples.histograms, rows, group, len(cell), weight)
    gauges = np.concatenate([[0], np.cumsum(_hints(samples) == ResetHint.GAUGE)])
    reduced = _reduced(samples.histograms, merged, rows, group, len(cell) + len(counted) + len(second))
    return Change(as_gauge(merged), gauges[window.hi] > gauges[window.lo], np.zeros(len(cell), bool), reduced)


def difference(samples: Samples, first: NDArray[np.int64], last: NDArray[np.int64]) -> Change:
    """The last sample of each window less the first."""
    cell = np.arange(len(first))
    rows = np.concatenate([samples.row[last], samples.row[first]])
    weight = np.repeat([1.0, -1.0], len(cell))
    merged = merged_rows(samples.histograms, rows, np.concatenate([cell, cell]), len(cell), weight)
    hints = _hints(samples)
    gauge = np.stack([hints[first] == ResetHint.GAUGE, hints[last] == ResetHint.GAUGE])
    is_gauge, is_counter = np.asarray(gauge.any(axis=0)), np.asarray(~gauge.all(axis=0))
    return Change(as_gauge(merged), is_gauge, is_counter, (bool(merged.reduced.any()), False))


def last_increase(
    samples: Samples, last: NDArray[np.int64], reset: NDArray[np.bool_], seconds: NDArray[np.float64]
) -> Change:
    """How much counters rose from the sample before the last, per second; after a reset all of the last."""
    before = last - 1
    gauge = (_hints(samples)[before] == ResetHint.GAUGE) | (_hints(samples)[last] == ResetHint.GAUGE)
    cell = np.arange(len(last))
    counted = np.flatnonzero(~reset[last])
    rows = np.concatenate([samples.row[last], samples.row[before[counted]]])
    weight = np.repeat([1.0, -1.0], [len(cell), len(counted)])
    merged = merged_rows(samples.histograms, rows, np.concatenate([cell, counted]), len(cell), weight)
    out = as_gauge(merged)
    return Change(replace(out, histograms=divide(out.histograms, seconds)), gauge, np.zeros(len(last), bool))


def extrapolated(
    samples: Samples, window: Window, change: Histograms, *, is_counter: NDArray[np.bool_] | bool
) -> Histograms:
    """The change over the whole window, from that between its first and last sample.

    Towards a border that is near (1.1 times the mean distance of samples) all the way, else by half the mean distance;
    counters (``is_counter``, of each window or of all) at the beginning no further than to where they were 0.
    """
    first, last = samples.time_ms[window.lo], samples.time_ms[window.last]
    sampled = (last - first) / 1000
    mean = sampled / (window.hi - window.lo - 1)
    to_start, to_end = (first - window.start_ms) / 1000, (window.end_ms - last) / 1000
    to_start = np.where(to_start >= mean * 1.1, mean / 2, to_start)
    to_end = np.where(to_end >= mean * 1.1, mean / 2, to_end)
    if np.any(is_counter):
        began = samples.histograms.count[samples.row[window.lo]]
        with np.errstate(divide="ignore", invalid="ignore"):
            to_zero = sampled * (began / change.count)
        to_start = np.where(is_counter & (change.count > 0) & (began >= 0) & (to_zero < to_start), to_zero, to_start)
    return multiply(change, (sampled + to_start + to_end) / sampled)


def _reduced(
    histograms: Histograms, merged: Merged, rows: NDArray[np.int64], group: NDArray[np.intp], added_from: int
) -> tuple[bool, bool]:
    """Whether custom bounds differed in a subtraction, and in an addition: the terms from ``added_from`` on."""
    if not merged.reduced.any():
        return False, False
    places = {bounds: place for place, bounds in enumerate(histograms.bounds)}
    final = np.array([*(places.get(bounds, -2) for bounds in merged.histograms.bounds), -1])[merged.histograms.custom]
    custom, size = histograms.custom[rows], len(merged.histograms)
    begun = slice(size, added_from)
    subtracted = custom[:size][group[begun]] != custom[begun]
    added = group[added_from:]
    same_ends = np.ones(size, bool)
    same_ends[group[begun]] = ~subtracted
    # What is added has other bounds, or the last and the first had the same, but not those that are left.
    is_added = (custom[added_from:] != final[added]) | (same_ends & (custom[:size] != final))[added]
    return bool(subtracted.any()), bool(is_added.any())


def _between(
    samples: Samples, differ: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]
) -> NDArray[np.bool_]:
    """What ``differ`` says of histograms next to each other, True between a float and a histogram."""
    row = samples.row
    out = np.zeros(len(row), bool)
    out[1:] = (row[1:] >= 0) != (row[:-1] >= 0)
    both = np.flatnonzero((row[1:] >= 0) & (row[:-1] >= 0)) + 1
    for begin in range(0, len(both), _PAIRS):
        part = both[begin : begin + _PAIRS]
        out[part] = differ(row[part], row[part - 1])
    return out


def _hints(samples: Samples) -> NDArray[np.uint8]:
    """The hint of each sample, 0 for floats."""
    if not len(samples.histograms):
        return np.zeros(len(samples.row), np.uint8)
    return np.where(samples.row >= 0, samples.histograms.reset_hint[samples.row], 0).astype(np.uint8)


def as_gauge(merged: Merged) -> Merged:
    """The same, as gauges: differences may well be less than those before."""
    gauge = np.full(len(merged.histograms), ResetHint.GAUGE, np.uint8)
    return replace(merged, histograms=replace(merged.histograms, reset_hint=gauge))
