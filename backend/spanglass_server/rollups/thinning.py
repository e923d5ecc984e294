"""Which points of a series stand for all of its points in a step.

Kept are the first and the last point of each step; of values that may fall the smallest and the largest too, of
counters the points on both sides of a reset. PromQL's ``rate``, ``increase``, ``delta``, ``last_over_time``,
``min_over_time`` and ``max_over_time`` over whole steps answer from them exactly what they answer from all points; with
the count and the sum of the points that each stands for, so do ``avg_over_time``, ``sum_over_time`` and
``count_over_time``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.rollups.lists import flat_lists
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

#: Many senders compute start times anew at each export; starts no further apart are of one writer (docs/metrics.md).
_ONE_START_NS = 10 * 10**9
_FALLING = ("count", "sum", "zero_count", "count_double", "zero_count_double")
_LISTS = tuple(f"{side}_counts{kind}" for side in ("bucket", "positive", "negative") for kind in ("", "_double"))
_CHANGING = ("scale", "positive_offset", "negative_offset", "zero_threshold")
#: Series of Prometheus' that count, whatever type they were sent with.
_COUNTING = r"_(total|count|sum|bucket)$"


def step_groups(points: pa.Table, step_ns: int) -> Ints:
    """Where each series and step begins in points sorted by ``series`` and time: row numbers, the first is 0."""
    series, steps = numbers(points, "series", np.uint64), (numbers(points, "time_ns", np.int64) - NS_PER_MS) // step_ns
    is_new = np.ones(points.num_rows, bool)
    is_new[1:] = (series[1:] != series[:-1]) | (steps[1:] != steps[:-1])
    return np.flatnonzero(is_new)


def thinned(points: pa.Table, step_ns: int) -> pa.Table:
    """The points to keep of series without deltas and markers, with ``sample_count`` and ``sample_sum``.

    ``points`` are sorted by ``series`` (a number) and ``time_ns``.
    """
    starts = step_groups(points, step_ns)
    value = values(points)
    keep = np.zeros(points.num_rows, bool)
    keep[starts] = True
    keep[np.append(starts[1:], points.num_rows) - 1] = True
    counts = _counts(points)
    keep |= _extremes(value, starts) & ~counts
    resets = np.flatnonzero(_resets(points, value) & counts)
    keep[resets] = True
    keep[resets - 1] = True
    places = np.flatnonzero(keep)
    sums = np.add.reduceat(value, np.append(0, places[:-1] + 1))
    no_sum = pc.is_null(points["value_double"]).to_numpy() & pc.is_null(points["value_int"]).to_numpy()
    counts = np.diff(places, prepend=-1).astype(np.uint64)
    return with_samples(points.take(pa.array(places)), counts, sums, no_sum[places])


def last_markers(points: pa.Table, step_ns: int) -> pa.Table:
    """The markers to keep, which have no value: those that are the last word of a step."""
    ends = np.append(step_groups(points, step_ns)[1:], points.num_rows) - 1
    markers = points.take(pa.array(ends[marked(points)[ends]]))
    count = np.zeros(markers.num_rows, np.uint64)
    return with_samples(markers, count, np.zeros(len(count)), count == 0)


def _extremes(value: NDArray[np.float64], starts: Ints) -> Bools:
    """The smallest and the largest value of each step, the first of equal ones."""
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(value))))
    keep = np.zeros(len(value), bool)
    for smallest in (np.fmin, np.fmax):
        found = np.flatnonzero(value == smallest.reduceat(value, starts)[group])
        keep[found[np.unique(group[found], return_index=True)[1]]] = True
    return keep


def _resets(points: pa.Table, value: NDArray[np.float64]) -> Bools:
    """Which points of counters continue nothing: it fell since the point before, or another process began to count."""
    same_series = _unchanged(numbers(points, "series", np.uint64))
    fell = _fell(value)
    for name in _FALLING:
        fell |= _fell(numbers(points, name, np.float64))
    for name in _LISTS:
        fell |= _any_fell(points[name])
    for name in _CHANGING:
        fell |= ~_unchanged(numbers(points, name, np.float64))
    start = numbers(points, "start_time_ns", np.int64)
    fell[1:] |= np.abs(start[1:] - start[:-1]) > _ONE_START_NS
    return fell & same_series


def _counts(points: pa.Table) -> Bools:
    """Which points are of series that only rise: cumulative and monotonic ones, and summaries."""
    rises = pc.fill_null(points["is_monotonic"], fill_value=True)
    is_cumulative = pc.equal(pc.fill_null(points["temporality"], 0), 2)
    is_named_so = pc.match_substring_regex(points["metric_name"], _COUNTING)
    is_summary = pc.equal(points["metric_type"], "summary")
    counts = pc.or_(pc.or_(pc.and_(rises, is_cumulative), is_summary), is_named_so)
    return np.asarray(counts.to_numpy(), bool)


def _fell(value: NDArray[np.float64]) -> Bools:
    fell = np.zeros(len(value), bool)
    fell[1:] = value[1:] < value[:-1]
    return fell


def _unchanged(value: NDArray[Any]) -> Bools:
    same = np.zeros(len(value), bool)
    same[1:] = value[1:] == value[:-1]
    return same


def _any_fell(column: Any) -> Bools:
    """Where any element of a list is below that of the list before, or their lengths differ."""
    items, offsets = flat_lists(column)
    lengths = np.diff(offsets)
    fell = ~_unchanged(lengths)
    row = np.repeat(np.arange(len(lengths)), lengths)
    alike = ~fell[row]
    places = np.flatnonzero(alike)
    before = places - lengths[row[places]]
    fell[row[places[items[places] < items[before]]]] = True
    fell[:1] = False
    return fell


def marked(points: pa.Table) -> Bools:
    """Which points say that there is no value (``DataPointFlags``)."""
    return np.asarray(numbers(points, "flags", np.int64) & 1, bool)


def values(points: pa.Table) -> NDArray[np.float64]:
    """The values of number points, NaN for others."""
    both = pc.coalesce(points["value_double"].cast(pa.float64()), points["value_int"].cast(pa.float64(), safe=False))
    return pc.fill_null(both, float("nan")).to_numpy()  # type: ignore[no-any-return]


def numbers(points: pa.Table, name: str, kind: Any) -> NDArray[Any]:
    """A column of numbers, 0 for null."""
    column = pc.fill_null(points[name].cast(pa.from_numpy_dtype(kind), safe=False), 0)
    return np.asarray(column.to_numpy())


def with_samples(points: pa.Table, count: Any, total: Any, no_sum: Bools) -> pa.Table:
    """The points with the count and the sum of what each stands for."""
    table = points.append_column("sample_count", pa.array(count, pa.uint64()))
    return table.append_column("sample_sum", pa.array(total, pa.float64(), mask=no_sum))
