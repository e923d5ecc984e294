"""Rates and differences: rate, increase, delta, irate, idelta, changes, resets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import without_name
from spanglass_server.promql.functions.extended_rates import growth, marks
from spanglass_server.promql.functions.ranges import over_windows
from spanglass_server.promql.series.labels import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.windows import Windows
    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.vectors import Vector

    Floats = NDArray[np.float64]
    Result = tuple[Floats, NDArray[np.bool_]]

#: A gap between window and sample this many times the mean distance of samples is not extrapolated over.
_EXTRAPOLATION_LIMIT = 1.1
#: How far behind the end of a step counts of records stand once more.
_BEHIND_MS = 1
_COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")


def rate(call: Invocation) -> Vector:
    """The growth of counters a second."""
    return _extrapolated(call, is_counter=True, is_rate=True)


def increase(call: Invocation) -> Vector:
    """The growth of counters."""
    return _extrapolated(call, is_counter=True, is_rate=False)


def delta(call: Invocation) -> Vector:
    """The difference of gauges between the ends of the window."""
    return _extrapolated(call, is_counter=False, is_rate=False)


def _inform_of_gauges(call: Invocation, result: Vector) -> None:
    """Tell of metrics that do not look like counters; histograms are known to be."""
    names = result.labels.column(NAME)
    used = {names.values[code] for code in np.unique(names.codes[result.present.any(axis=1)]).tolist()}
    for name in sorted(used):
        if name and not name.endswith(_COUNTER_SUFFIXES):
            call.inform(f'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "{name}"')


def _extrapolated(call: Invocation, *, is_counter: bool, is_rate: bool) -> Vector:
    range_ = call.range(0)
    if range_.mode:
        result = growth(call, range_, is_counter=is_counter, is_rate=is_rate)
    else:
        anew = range_.samples.anew if is_counter and call.query.options.each_alone else None

        def extrapolate(some: Windows) -> Result:
            of_rows = None if anew is None else anew[some.rows]
            return _extrapolate(some, of_rows, is_counter=is_counter, is_rate=is_rate)

        kept = None if anew is None else lambda values: _with_records(values, anew)
        result = over_windows(call, range_, extrapolate, kept)
    if is_counter:
        _inform_of_gauges(call, result)
    return without_name(result)


def _with_records(rises: Floats, anew: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where something was counted in the window, be it in another bucket; everywhere for series of points."""
    numbers, group = np.unique(np.where(anew > 0, anew, 0), return_inverse=True)
    rose = np.zeros((len(numbers), rises.shape[1]), np.bool_)
    np.logical_or.at(rose, group, rises != 0)
    return rose[group] | (anew <= 0)[:, None]


def _extrapolate(some: Windows, anew: NDArray[np.int64] | None, *, is_counter: bool, is_rate: bool) -> Result:
    """The difference of last and first sample, extrapolated to the window's ends where samples come near to them."""
    first, last = some.first, some.last
    begin = some.value[first]
    result = some.value[last] - begin
    if is_counter:
        _add_resets(some, result)
    time_ms = some.time_ms.astype(np.float64)
    first_ms, last_ms = time_ms[first], time_ms[last]
    sampled = last_ms - first_ms
    between = sampled / (some.number - 1)
    extended = _gap(np.subtract(first_ms, some.start_ms, out=first_ms), between)
    if anew is not None:
        _of_records(extended, anew > 0)
    if is_counter:
        extended = _since_zero(some, extended, sampled, begin, result, None if anew is None else anew != 0)
    extended += _gap(np.subtract(some.end_ms, last_ms, out=last_ms), between)
    extended += sampled
    extended /= sampled
    if is_rate:
        extended /= some.range_ms / 1000
    result *= extended
    return result, some.count > 1


def _gap(gap: Floats, between: Floats) -> Floats:
    """How much of the gap between window and sample is extrapolated over, in place."""
    is_far = gap >= between * _EXTRAPOLATION_LIMIT
    np.copyto(gap, between / 2, where=is_far)
    return gap


def _of_records(gap: Floats, counted: NDArray[np.bool_]) -> None:
    """Counts of records stand a millisecond after the beginning of the window that they are exact for."""
    gap[(gap <= _BEHIND_MS) & counted[:, None]] = 0.0


def _since_zero(
    some: Windows, gap: Floats, sampled: Floats, begin: Floats, result: Floats, unbounded: NDArray[np.bool_] | None
) -> Floats:
    """A counter is never negative: it began no earlier than where its growth leads back to zero."""
    to_zero = begin / result
    to_zero *= sampled
    if unbounded is not None:
        to_zero[unbounded] = np.inf
    if some.value.min() >= 0:
        return np.fmin(gap, to_zero, out=gap)
    np.copyto(gap, to_zero, where=(result > 0) & (begin >= 0) & (to_zero < gap))
    return gap


def _add_resets(some: Windows, result: Floats) -> None:
    """Add what counters lost by resets inside each window."""
    fell = some.value[1:] < some.value[:-1]
    borders = some.offsets[1:-1]
    # From one series to the next nothing falls.
    fell[borders[(borders > 0) & (borders < len(some.value))] - 1] = False
    if not fell.any():
        return
    # Places in the list of falls: those after the first sample of the window, up to the last.
    falls = np.concatenate(([0, 0], np.cumsum(fell)))
    low, high = falls[some.first + 1], falls[some.last + 1]
    cells = np.nonzero((high > low) & (some.hi > some.lo))
    lost = np.append(some.value[:-1][fell], 0.0)
    bounds = np.stack([low[cells], high[cells]], axis=-1).ravel()
    if len(bounds):
        result[cells] += np.add.reduceat(lost, bounds)[::2]


def irate(call: Invocation) -> Vector:
    """The growth of counters a second, between the last two samples."""
    return without_name(over_windows(call, call.range(0), lambda some: _between_last(some, is_rate=True)))


def idelta(call: Invocation) -> Vector:
    """The difference of the last two samples."""
    return without_name(over_windows(call, call.range(0), lambda some: _between_last(some, is_rate=False)))


def _between_last(some: Windows, *, is_rate: bool) -> Result:
    last, before = some.last, np.maximum(some.hi - 2, 0)
    end, begin = some.value[last], some.value[before]
    present = some.count > 1
    if not is_rate:
        return end - begin, present
    grown = np.where(end < begin, end, end - begin)
    return grown / ((some.time_ms[last] - some.time_ms[before]) / 1000), present


def changes(call: Invocation) -> Vector:
    """How often the value changes from sample to sample."""
    range_ = call.range(0)
    return without_name(marks(call, range_, falls=False) if range_.mode else over_windows(call, range_, _changes))


def resets(call: Invocation) -> Vector:
    """How often the value falls from sample to sample."""
    range_ = call.range(0)
    return without_name(marks(call, range_, falls=True) if range_.mode else over_windows(call, range_, _resets))


def _changes(some: Windows) -> Result:
    after, before = some.value[1:], some.value[:-1]
    return _marks(some, (after != before) & ~(np.isnan(after) & np.isnan(before)))


def _resets(some: Windows) -> Result:
    return _marks(some, some.value[1:] < some.value[:-1])


def _marks(some: Windows, marked: NDArray[np.bool_]) -> Result:
    seen = np.concatenate(([0], np.cumsum(marked)))
    return (seen[some.last] - seen[some.first]).astype(np.float64), some.count > 0


CALLS: dict[str, Callable[[Invocation], Vector]] = {
    "changes": changes,
    "resets": resets,
    "rate": rate,
    "increase": increase,
    "delta": delta,
    "irate": irate,
    "idelta": idelta,
}
