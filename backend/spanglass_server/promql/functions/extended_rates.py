"""Functions of range vectors that are ``anchored`` or ``smoothed``: rates, changes, resets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import nonempty
from spanglass_server.promql.evaluation.extended import extended
from spanglass_server.promql.histograms.expressions.extended import growth_of_histograms
from spanglass_server.promql.histograms.expressions.window_functions import sample_marks
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.extended import Extended
    from spanglass_server.promql.evaluation.selectors import Range
    from spanglass_server.promql.functions.invocation import Invocation

    Floats = NDArray[np.float64]

#: The functions that take such range vectors.
ALLOWED = {
    "anchored": ("changes", "delta", "increase", "rate", "resets"),
    "smoothed": ("delta", "increase", "rate"),
}


def growth(call: Invocation, range_: Range, *, is_counter: bool, is_rate: bool) -> Vector:
    """The difference between the ends of each window, with what counters lost by resets."""
    floats = _growth(range_, is_counter=is_counter, is_rate=is_rate)
    return nonempty(growth_of_histograms(call, range_, floats, is_counter=is_counter, is_rate=is_rate))


def _growth(range_: Range, *, is_counter: bool, is_rate: bool) -> Vector:
    some = extended(range_)
    labels = range_.samples.labels
    if some is None:
        shape = (labels.size, range_.steps.size)
        return Vector(labels, np.zeros(shape), np.zeros(shape, np.bool_))
    with np.errstate(all="ignore"):
        left, right = some.left(is_counter=is_counter), some.right(is_counter=is_counter)
        result = right - left
        if is_counter:
            result += _lost(some, left, right)
        if is_rate:
            result /= range_.range_ms / 1000
    return Vector(labels, result, some.present)


def _lost(some: Extended, left: Floats, right: Floats) -> Floats:
    """What a counter lost by resets from the left end over the inner samples to the right end."""
    value, inner = some.value, some.inner_hi > some.inner_lo
    begin = np.minimum(some.inner_lo, len(value) - 1)
    end = np.maximum(some.inner_hi - 1, 0)
    before = np.where(inner, value[end], left)
    lost = np.where(inner & (value[begin] < left), left, 0.0) + np.where(right < before, before, 0.0)
    fell = np.concatenate(([False], value[1:] < value[:-1]))
    falls = np.cumsum(fell)
    low, high = falls[begin], falls[end]
    cells = np.nonzero(inner & (high > low))
    if len(cells[0]):
        amounts = np.append(value[np.flatnonzero(fell) - 1], 0.0)
        bounds = np.stack([low[cells], high[cells]], axis=-1).ravel()
        lost[cells] += np.add.reduceat(amounts, bounds)[::2]
    return lost


def marks(call: Invocation, range_: Range, *, falls: bool) -> Vector:
    """How often the value changes (or falls) from sample to sample, from the one before the window on."""
    samples = range_.samples
    some = extended(replace(range_, samples=replace(samples, histogram=None)))
    if some is None:
        shape = (samples.labels.size, range_.steps.size)
        return nonempty(Vector(samples.labels, np.zeros(shape), np.zeros(shape, np.bool_)))
    if samples.histogram is not None and (samples.histogram >= 0).any():
        seen = np.cumsum(sample_marks(call, range_, falls=falls))
    else:
        after, before = some.value[1:], some.value[:-1]
        marked = after < before if falls else (after != before) & ~(np.isnan(after) & np.isnan(before))
        seen = np.concatenate(([0], np.cumsum(marked)))
    return nonempty(Vector(samples.labels, (seen[some.last] - seen[some.first]).astype(np.float64), some.present))
