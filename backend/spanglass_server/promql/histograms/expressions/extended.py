"""Native histograms in range vectors that are ``anchored`` or ``smoothed``: values of their own at a window's ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.extended import extended
from spanglass_server.promql.evaluation.windows import step_times, window_ends, without
from spanglass_server.promql.histograms import ranges
from spanglass_server.promql.histograms.arithmetic import divide
from spanglass_server.promql.histograms.expressions.placing import Part, placed
from spanglass_server.promql.histograms.expressions.window_functions import (
    MIXED,
    MIXED_LAYOUTS,
    RECONCILED,
    tell_kinds,
    tell_reduced,
    without_void,
)
from spanglass_server.promql.histograms.expressions.windows import histogram_windows
from spanglass_server.promql.histograms.merging import merged_rows
from spanglass_server.promql.histograms.rows import is_custom, take
from spanglass_server.promql.series.histograms import ResetHint
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.series.samples import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.extended import Extended
    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.evaluation.selectors import Range
    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.histograms.merging import Merged
    from spanglass_server.promql.parsing.nodes import VectorSelector
    from spanglass_server.promql.series.histograms import Histograms
    from spanglass_server.promql.series.vectors import Vector

    Places = NDArray[np.int64]


@dataclass(slots=True)
class _Terms:
    """Histograms with their weights, to be added up for each cell."""

    rows: list[Places]
    cells: list[NDArray[np.intp]]
    weights: list[NDArray[np.float64]]

    def add(self, rows: Places, cells: NDArray[np.intp], weight: NDArray[np.float64]) -> None:
        """One histogram for each of some cells."""
        self.rows.append(rows)
        self.cells.append(cells)
        self.weights.append(weight)

    def merged(self, histograms: Histograms, size: int) -> Merged:
        """The sum of each cell's terms."""
        rows, cells, weights = np.concatenate(self.rows), np.concatenate(self.cells), np.concatenate(self.weights)
        return merged_rows(histograms, rows, cells, size, weights)


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
    others = _others(range_)
    mixed = some.present & others
    whole.warn(MIXED, mixed)
    floats = replace(floats, present=floats.present & ~_others(range_, histograms=True))
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
    terms = _Terms([], [], [])
    from_before = some.smoothed & (samples.time_ms[first] < start_ms)
    until_after = some.smoothed & (samples.time_ms[last] > end_ms) & (last > 0)
    _add_value(terms, samples, np.where(from_before, first + 1, first), from_before, (start_ms, -1.0), reset)
    _add_value(terms, samples, last, until_after, (end_ms, 1.0), reset)
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


def smoothed_histograms(query: Query, node: VectorSelector, range_: Range, floats: Vector) -> Vector:
    """``floats``, the smoothed values of floats, with histograms on the line between the samples around each step."""
    samples = range_.samples
    if samples.histogram is None or samples.histograms is None or not (samples.histogram >= 0).any():
        return floats
    only = without(samples, samples.histogram < 0)
    assert only.histogram is not None and only.histograms is not None  # noqa: S101, PT018
    others, there = _others(range_), _others(range_, histograms=True)
    ends = (only.time_ms, only.offsets, range_.steps)
    before, after = window_ends(*ends, 1), window_ends(*ends, -range_.lookback_ms)
    first = window_ends(*ends, range_.lookback_ms)
    at_ms = np.broadcast_to(step_times(range_.steps), before.shape)
    has_next = before < after
    place = np.clip(np.where(has_next, before, before - 1), 0, len(only.value) - 1)
    is_exact = has_next & (only.time_ms[place] == at_ms)
    has_value = there & ~others & (is_exact | (before > first))
    cells = np.nonzero(has_value)
    histograms = ranges.Samples(only.time_ms, only.histogram, only.histograms)
    place, between = place[cells], (has_next & ~is_exact)[cells]
    reset = ranges.reset_before(histograms)
    gauge = only.histograms.reset_hint[only.histogram] == ResetHint.GAUGE
    reset[1:] &= ~(gauge[1:] & gauge[:-1])
    terms = _Terms([], [], [])
    _add_value(terms, histograms, place, between, (at_ms[cells], 1.0), reset)
    found = terms.merged(only.histograms, len(place))
    own = is_custom(only.histograms)[only.histogram]
    void = found.incompatible | (between & (own[place] != own[np.maximum(place - 1, 0)]))
    names = only.labels.column(NAME)
    for message, series in ((MIXED, np.flatnonzero((there & others).any(axis=1))), (MIXED_LAYOUTS, cells[0][void])):
        for code in np.unique(names.codes[series]).tolist():
            query.notes.warn(f'{message} "{names.values[code]}"', node.position)
    if (found.reduced & ~void).any():
        for name in ("subtraction", "addition"):
            query.notes.inform(f"{RECONCILED} {name}", node.position)
    good = np.flatnonzero(~void)
    part = Part((cells[0][good], cells[1][good]), take(found.histograms, good))
    return placed(replace(floats, present=floats.present & ~there), [part])


def _add_value(
    terms: _Terms,
    samples: ranges.Samples,
    place: Places,
    is_between: NDArray[np.bool_],
    at: tuple[NDArray[np.int64], float],
    reset: NDArray[np.bool_],
) -> None:
    """The histogram of each ``place``, or where ``is_between`` that on the line to it from the one before."""
    at_ms, sign = at
    cell = np.arange(len(place))
    before = np.maximum(place - 1, 0)
    length = np.maximum(samples.time_ms[place] - samples.time_ms[before], 1)
    part = np.where(is_between, (at_ms - samples.time_ms[before]) / length, 1.0)
    terms.add(samples.row[place], cell, sign * part)
    # After a reset a counter rises from zero.
    line = np.flatnonzero(is_between & ~reset[place])
    terms.add(samples.row[before[line]], line, sign * (1 - part[line]))


def _others(range_: Range, *, histograms: bool = False) -> NDArray[np.bool_]:
    """In which windows, with what is read around them, there are floats (or histograms)."""
    samples = range_.samples
    assert samples.histogram is not None  # noqa: S101
    of_kind = without(samples, (samples.histogram < 0) == histograms)
    ends = (of_kind.time_ms, of_kind.offsets, range_.steps)
    after_ms = range_.lookback_ms if range_.mode == "smoothed" else 0
    found = window_ends(*ends, -after_ms) > window_ends(*ends, range_.range_ms + range_.lookback_ms)
    return np.asarray(found)
