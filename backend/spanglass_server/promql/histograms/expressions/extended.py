"""Native histograms in range vectors that are ``anchored`` or ``smoothed``: values of their own at a window's ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.extended import extended
from spanglass_server.promql.evaluation.windows import without
from spanglass_server.promql.histograms import ranges
from spanglass_server.promql.histograms.arithmetic import divide
from spanglass_server.promql.histograms.expressions.placing import Part, placed
from spanglass_server.promql.histograms.expressions.terms import Terms, add_value
from spanglass_server.promql.histograms.expressions.window_functions import (
    MIXED,
    tell_kinds,
    tell_reduced,
    without_void,
)
from spanglass_server.promql.histograms.expressions.windows import around, histogram_windows
from spanglass_server.promql.histograms.rows import is_custom
from spanglass_server.promql.series.histograms import ResetHint
from spanglass_server.promql.series.samples import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.extended import Extended
    from spanglass_server.promql.evaluation.selectors import Range
    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.vectors import Vector

    Places = NDArray[np.int64]


def growth_of_histograms(call: Invocation, range_: Range, floats: Vector, *, is_counter: bool, is_rate: bool) -> Vector:
    """``floats``, the growth where samples are floats, with that of histograms besides."""
    samples = range_.samples
    if samples.histogram is None or not (samples.histogram >= 0).any():
        return floats
    whole = histogram_windows(call, range_)
    only = without(samples, samples.histogram < 0)
    some = extended(
        replace(range_, samples=Samples(only.labels, only.offsets, only.time_ms, np.zeros(len(only.value))))
    )
    assert some is not None and only.histogram is not None and only.histograms is not None  # noqa: S101, PT018
    others = around(range_, histograms=False)
    mixed = some.present & others
    whole.warn(MIXED, mixed)
    floats = replace(floats, present=floats.present & ~around(range_, histograms=True))
    cells = np.nonzero(some.present & ~mixed)
    if not len(cells[0]):
        return floats
    histograms = ranges.Samples(only.time_ms, only.histogram, only.histograms)
    found = _growth(histograms, some, cells, is_counter=is_counter)
    tell_kinds(whole, cells, found)
    tell_reduced(whole, found)
    part = without_void(whole, Part(cells, found.merged.histograms), found.merged)
    if is_rate:
        seconds = np.full(len(part.histograms), range_.range_ms / 1000)
        part = Part(part.cells, divide(part.histograms, seconds))
    return placed(floats, [part])


def _growth(
    samples: ranges.Samples, some: Extended, cells: tuple[NDArray[np.intp], ...], *, is_counter: bool
) -> ranges.Change:
    """The value at the end less that at the beginning, with what counters lost by resets between."""
    first, last = some.first[cells], some.last[cells]
    start_ms, end_ms = (np.broadcast_to(at, some.first.shape)[cells] for at in (some.start_ms, some.end_ms))
    reset = ranges.reset_before(samples) if is_counter else np.zeros(len(samples.row), bool)
    terms = Terms()
    from_before = some.smoothed & (samples.time_ms[first] < start_ms)
    until_after = some.smoothed & (samples.time_ms[last] > end_ms) & (last > 0)
    add_value(terms, samples, np.where(from_before, first + 1, first), from_before, (start_ms, -1.0), reset)
    add_value(terms, samples, last, until_after, (end_ms, 1.0), reset)
    # What was counted before each reset; one that the value at the beginning spans is in that value.
    places = np.flatnonzero(reset)
    begin = np.searchsorted(places, first + 1 + from_before)
    number = np.maximum(np.searchsorted(places, last + 1) - begin, 0)
    inner = np.repeat(begin - np.cumsum(number) + number, number) + np.arange(number.sum())
    terms.add(samples.row[places[inner] - 1], np.repeat(np.arange(len(first)), number), np.ones(len(inner)))
    merged = terms.merged(samples.histograms, len(first))
    gauge = samples.histograms.reset_hint[samples.row] == ResetHint.GAUGE
    seen = np.concatenate([[0], np.cumsum(gauge)])
    is_gauge = is_counter & (seen[last + 1] > seen[first])
    is_counting = ~(gauge[first] & gauge[last]) & (not is_counter)
    own = np.concatenate([[0], np.cumsum(is_custom(samples.histograms)[samples.row])])[[last + 1, first]]
    unlike = (own[0] > own[1]) & (own[0] - own[1] < last + 1 - first)
    merged = replace(merged, incompatible=merged.incompatible | unlike)
    added = np.bincount(terms.cells[-1], minlength=len(first)) > 0
    reduced = (bool(merged.reduced.any()), bool((merged.reduced & (added | from_before | until_after)).any()))
    return ranges.Change(ranges.as_gauge(merged), np.asarray(is_gauge), np.asarray(is_counting), reduced)
