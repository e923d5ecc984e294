"""Selectors: the last sample of each series at each step, and ranges of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.windows import step_times, window_ends, without
from spanglass_server.promql.histograms.expressions.smoothed import smoothed_histograms
from spanglass_server.promql.series.vectors import Steps, Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.parsing.nodes import At, Expr, MatrixSelector, Mode, VectorSelector
    from spanglass_server.promql.series.samples import Samples


@dataclass(frozen=True, slots=True)
class Range:
    """The samples of series, and the windows of ``range_ms`` that end at ``steps``. No sample is a marker."""

    samples: Samples
    steps: Steps
    range_ms: int
    position: int
    mode: Mode = ""
    lookback_ms: int = 0

    def inside(self) -> Samples:
        """The samples inside the window of the one step."""
        age_ms = self.steps.start_ms - self.samples.time_ms
        return without(self.samples, (age_ms < 0) | (age_ms >= self.range_ms))


def shifted(steps: Steps, at: At | None, offset_ms: int) -> Steps:
    """The times at which a selector looks, for the steps at which it is asked."""
    if at is None:
        return Steps(steps.start_ms - offset_ms, steps.step_ms, steps.size)
    assert isinstance(at, int)  # noqa: S101 - start() and end() were replaced before
    return Steps(at - offset_ms, 0, steps.size)


def instant(query: Query, node: VectorSelector, steps: Steps) -> Vector:
    """The last sample of each series at each step, no older than the lookback and not stale.

    Of a ``smoothed`` selector, the value on the line between the samples before and after each step.
    """
    if node.mode == "smoothed":
        return _smoothed(query, node, steps)
    return last_samples(query, node, steps)[0]


def last_samples(query: Query, node: VectorSelector, steps: Steps) -> tuple[Vector, NDArray[np.int64]]:
    """As ``instant``, with the times of the samples, in milliseconds."""
    times, lookback_ms = shifted(steps, node.at, plain(node.offset)), query.options.lookback_ms
    samples = query.select(node, times, lookback_ms, math.gcd(times.start_ms, times.step_ms))
    query.check_size(samples.labels.size * steps.size)
    hi = window_ends(samples.time_ms, samples.offsets, times, 0)
    present = hi > window_ends(samples.time_ms, samples.offsets, times, lookback_ms)
    if not len(samples.value):
        return Vector(samples.labels, np.zeros(hi.shape), present), np.zeros(hi.shape, np.int64)
    last = np.maximum(hi - 1, 0)
    if samples.is_stale is not None:
        present &= ~samples.is_stale[last]
    values, time_ms = samples.value[last], samples.time_ms[last]
    if samples.histogram is None:
        return Vector(samples.labels, values, present), time_ms
    histogram = np.where(present, samples.histogram[last], -1)
    return Vector(samples.labels, values, present & (histogram < 0), histogram, samples.histograms), time_ms


def _smoothed(query: Query, node: VectorSelector, steps: Steps) -> Vector:
    """The value on the line between the last sample before each step and the next one, within the lookback.

    Without a next one it is the last one's value.
    """
    times, lookback_ms = shifted(steps, node.at, plain(node.offset)), query.options.lookback_ms
    samples = _around(query, node, times, 0)
    if samples.is_stale is not None:
        samples = without(samples, samples.is_stale)
    range_ = Range(samples, times, 0, node.position, node.mode, lookback_ms)
    return smoothed_histograms(query, node, range_, _smoothed_floats(range_))


def _smoothed_floats(range_: Range) -> Vector:
    samples, times, lookback_ms = range_.samples, range_.steps, range_.lookback_ms
    if samples.histogram is not None:
        samples = without(samples, samples.histogram >= 0)
    ends = (samples.time_ms, samples.offsets, times)
    hi, earliest, latest = (window_ends(*ends, age_ms) for age_ms in (0, lookback_ms, -lookback_ms))
    if not len(samples.value):
        return Vector(samples.labels, np.zeros(hi.shape), np.zeros(hi.shape, np.bool_))
    before, after = np.maximum(hi - 1, 0), np.minimum(hi, len(samples.value) - 1)
    has_before, has_after = hi > earliest, latest > hi
    past_ms = step_times(times) - samples.time_ms[before]
    between_ms = np.maximum(samples.time_ms[after] - samples.time_ms[before], 1)
    begin, end = samples.value[before], samples.value[after]
    with np.errstate(invalid="ignore"):
        line = np.where(has_after & (past_ms > 0), begin + (end - begin) * past_ms / between_ms, begin)
    return Vector(samples.labels, line, has_before)


def _around(query: Query, node: VectorSelector, times: Steps, range_ms: int) -> Samples:
    """The samples of windows and of the lookback before them; for ``smoothed`` also of as long after them."""
    lookback_ms = query.options.lookback_ms
    after_ms = lookback_ms if node.mode == "smoothed" else 0
    later = Steps(times.start_ms + after_ms, times.step_ms, times.size)
    return query.select(node, later, range_ms + lookback_ms + after_ms, 0)


def matrix(query: Query, node: MatrixSelector, steps: Steps) -> Range:
    """All samples of a range before each step, or thinned ones that will do; staleness markers are none."""
    selector, range_ms = node.selector, plain(node.range)
    times = shifted(steps, selector.at, plain(selector.offset))
    if selector.mode:
        samples = _around(query, selector, times, range_ms)
    else:
        grid_ms = math.gcd(times.start_ms, times.step_ms, range_ms) if node.thinned else 0
        with_totals = node.thinned == "totals"
        samples = query.select(selector, times, range_ms, grid_ms, with_totals=with_totals, summed_by=node.summed_by)
    query.check_size(samples.labels.size * steps.size)
    if samples.is_stale is not None:
        samples = without(samples, samples.is_stale)
    return Range(samples, times, range_ms, selector.position, selector.mode, query.options.lookback_ms)


def plain(duration: int | Expr) -> int:
    """A duration in milliseconds, which is a number after ``resolved``."""
    assert isinstance(duration, int)  # noqa: S101
    return duration
