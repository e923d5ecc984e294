"""Functions of range vectors whose samples are native histograms, alone or among floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import nonempty
from spanglass_server.promql.evaluation.windows import step_times, without
from spanglass_server.promql.histograms import ranges
from spanglass_server.promql.histograms.arithmetic import multiply
from spanglass_server.promql.histograms.expressions.placing import Part, placed
from spanglass_server.promql.histograms.expressions.windows import HistogramWindows, histogram_windows
from spanglass_server.promql.histograms.means import mean_rows
from spanglass_server.promql.histograms.merging import Merged, merged_rows
from spanglass_server.promql.histograms.rows import take
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.selectors import Range
    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.samples import Samples

    Bools = NDArray[np.bool_]
    #: What a function gives of samples taken as floats: a value for each window, and where there is one.
    OfFloats = Callable[[Samples], tuple[NDArray[np.float64], Bools]]

#: Functions that take each sample for one, whatever it holds.
_COUNTING = frozenset({"count_over_time", "present_over_time", "ts_of_first_over_time", "ts_of_last_over_time"})
MIXED = "encountered a mix of histograms and floats for metric name"
MIXED_LAYOUTS = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
RECONCILED = "mismatched custom buckets were reconciled during"
_IGNORED = "ignored histograms in a range containing both floats and histograms for metric name"


def sample_marks(call: Invocation, range_: Range, *, falls: bool) -> Bools:
    """Where a sample, float or histogram, differs from the one before, or is a counter reset."""
    some = histogram_windows(call, range_)
    return _resets(some) if falls else _changes(some)


def over_mixed(call: Invocation, range_: Range, floats: OfFloats) -> Vector:
    """The value of a function for each window, where samples are histograms."""
    some = histogram_windows(call, range_)
    function = call.node.function
    labels = range_.samples.labels
    if function in _COUNTING:
        return nonempty(Vector(labels, *floats(range_.samples)))
    if function in _MARKS:
        return nonempty(Vector(labels, *_marked(some, _MARKS[function](some))))
    if function not in _COMPUTED:
        histogram = some.samples.row >= 0
        values, present = floats(without(range_.samples, histogram))
        some.inform(_IGNORED, (some.number > 0) & (some.number < some.count))
        return nonempty(Vector(labels, values, present))
    values, present = floats(range_.samples)
    parts, dropped = _COMPUTED[function](some)
    return nonempty(placed(Vector(labels, values, present & ~dropped), parts))


Computed = tuple[list[Part], "Bools"]


def _first(some: HistogramWindows) -> Computed:
    return _chosen(some, some.lo)


def _last(some: HistogramWindows) -> Computed:
    return _chosen(some, some.hi - 1)


def _chosen(some: HistogramWindows, place: NDArray[np.int64]) -> Computed:
    row = some.samples.row[np.clip(place, 0, len(some.samples.row) - 1)]
    chosen = (row >= 0) & (some.count > 0)
    cells = np.nonzero(chosen)
    return [Part(cells, take(some.samples.histograms, row[cells]))], chosen


def _sum(some: HistogramWindows) -> Computed:
    return _aggregated(some, merged_rows)


def _avg(some: HistogramWindows) -> Computed:
    return _aggregated(some, mean_rows)


def _aggregated(some: HistogramWindows, compute: Callable[..., Merged]) -> Computed:
    mixed = (some.number > 0) & (some.number < some.count)
    some.warn(MIXED, mixed)
    cells = np.nonzero((some.number > 0) & ~mixed)
    lo, size = some.lo[cells], some.count[cells]
    group = np.repeat(np.arange(len(lo)), size)
    places = np.repeat(lo - np.cumsum(size) + size, size) + np.arange(len(group))
    found = compute(some.samples.histograms, some.samples.row[places], group, len(lo))
    return [kept(some, cells, found, "aggregation")], some.number > 0


def _rate(some: HistogramWindows) -> Computed:
    range_s = some.range.range_ms / 1000
    parts, dropped = _increase(some)
    return [
        Part(part.cells, multiply(part.histograms, np.full(len(part.histograms), 1 / range_s))) for part in parts
    ], dropped


def _increase(some: HistogramWindows) -> Computed:
    reset = ranges.reset_before(some.samples)
    return _extrapolated(some, lambda window: ranges.increase(some.samples, window, reset), is_counter=True)


def _delta(some: HistogramWindows) -> Computed:
    def change(window: ranges.Window) -> ranges.Change:
        return ranges.difference(some.samples, window.lo, window.last)

    return _extrapolated(some, change, is_counter=False)


def _extrapolated(
    some: HistogramWindows, change: Callable[[ranges.Window], ranges.Change], *, is_counter: bool
) -> Computed:
    mixed = (some.number > 0) & (some.number < some.count)
    some.warn(MIXED, mixed)
    cells = np.nonzero((some.number > 1) & ~mixed)
    end_ms = step_times(some.range.steps)[cells[1]]
    window = ranges.Window(some.lo[cells], some.hi[cells], end_ms - some.range.range_ms, end_ms)
    found = change(window)
    tell_kinds(some, cells, found)
    since_zero = _since_zero(some, cells[0]) if is_counter else np.zeros(len(cells[0]), np.bool_)
    part = Part(cells, ranges.extrapolated(some.samples, window, found.merged.histograms, is_counter=since_zero))
    tell_reduced(some, found)
    return [without_void(some, part, found.merged)], some.number > 0


def _since_zero(some: HistogramWindows, rows: NDArray[np.intp]) -> Bools:
    """For which windows it is known where the counter was 0; see ``Options.each_alone``."""
    anew = some.range.samples.anew
    if anew is None or not some.call.query.options.each_alone:
        return np.ones(len(rows), np.bool_)
    return np.asarray(anew[rows] == 0)


def _irate(some: HistogramWindows) -> Computed:
    reset = ranges.reset_before(some.samples)
    return _between_last(some, lambda last, seconds: ranges.last_increase(some.samples, last, reset, seconds))


def _idelta(some: HistogramWindows) -> Computed:
    return _between_last(some, lambda last, _: ranges.difference(some.samples, last - 1, last))


def _between_last(
    some: HistogramWindows, change: Callable[[NDArray[np.int64], NDArray[np.float64]], ranges.Change]
) -> Computed:
    last = np.maximum(some.hi - 1, 0)
    before = np.maximum(last - 1, 0)
    enough = some.count > 1
    now, then = some.samples.row[last] >= 0, some.samples.row[before] >= 0
    some.warn(MIXED, enough & (now != then))
    cells = np.nonzero(enough & now & then)
    seconds = (some.samples.time_ms[last[cells]] - some.samples.time_ms[before[cells]]) / 1000
    found = change(last[cells], seconds)
    tell_kinds(some, cells, found)
    return [kept(some, cells, found.merged, "subtraction")], enough & (now | then)


def kept(some: HistogramWindows, cells: tuple[NDArray[np.intp], ...], found: Merged, name: str) -> Part:
    """What is not void, telling what happened during ``name``."""
    good = ~found.incompatible
    if (found.reduced & good).any():
        some.call.inform(f"{RECONCILED} {name}")
    if name == "aggregation" and (found.collision & good).any():
        some.call.warn(f"conflicting counter resets during histogram {name}")
    return without_void(some, Part(cells, found.histograms), found)


def without_void(some: HistogramWindows, part: Part, found: Merged) -> Part:
    """The part without what is void, which is told."""
    where = np.zeros(some.lo.shape, bool)
    where[part.cells] = found.incompatible
    some.warn(MIXED_LAYOUTS, where)
    good = np.flatnonzero(~found.incompatible)
    return Part(tuple(axis[good] for axis in part.cells), take(part.histograms, good))


def tell_reduced(some: HistogramWindows, found: ranges.Change) -> None:
    """Tell where custom bounds differed."""
    for name, is_reduced in zip(("subtraction", "addition"), found.is_reduced, strict=True):
        if is_reduced:
            some.call.inform(f"{RECONCILED} {name}")


def tell_kinds(some: HistogramWindows, cells: tuple[NDArray[np.intp], ...], found: ranges.Change) -> None:
    """Tell of gauges where counters are wanted, and the other way round."""
    for message, flags in (
        ("this native histogram metric is not a counter:", found.is_gauge & ~_is_difference(some)),
        ("this native histogram metric is not a gauge:", found.is_counter),
    ):
        where = np.zeros(some.lo.shape, bool)
        where[cells] = flags & ~found.merged.incompatible
        some.warn(message, where)


def _is_difference(some: HistogramWindows) -> bool:
    return some.call.node.function in {"delta", "idelta"}


def _changes(some: HistogramWindows) -> Bools:
    value = some.range.samples.value
    changed = ranges.changed_before(some.samples)
    differs = (value[1:] != value[:-1]) & ~(np.isnan(value[1:]) & np.isnan(value[:-1]))
    changed[1:] |= differs & _both_floats(some)
    return changed


def _resets(some: HistogramWindows) -> Bools:
    value = some.range.samples.value
    reset = ranges.reset_before(some.samples)
    reset[1:] |= (value[1:] < value[:-1]) & _both_floats(some)
    return reset


def _both_floats(some: HistogramWindows) -> Bools:
    is_float = some.samples.row < 0
    return np.asarray(is_float[1:] & is_float[:-1])


def _marked(some: HistogramWindows, marks: Bools) -> tuple[NDArray[np.float64], Bools]:
    seen = np.concatenate([[0], np.cumsum(marks)])
    last = np.maximum(some.hi, 1)
    return (seen[last] - seen[np.minimum(some.lo + 1, last)]).astype(np.float64), some.count > 0


_MARKS = {"changes": _changes, "resets": _resets}
_COMPUTED: dict[str, Callable[[HistogramWindows], Computed]] = {
    "first_over_time": _first,
    "last_over_time": _last,
    "sum_over_time": _sum,
    "avg_over_time": _avg,
    "rate": _rate,
    "increase": _increase,
    "delta": _delta,
    "irate": _irate,
    "idelta": _idelta,
}
