"""Points with delta temporality: all of a step become one, as the data model adds them.

Sums and counts are added, extremes compared, buckets with equal bounds added one by one, exponential ones at the
coarsest scale of the step. Explicit histograms whose bounds differ within a step stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.rollups.lists import flat_lists, list_column
from spanglass_server.rollups.thinning import numbers, step_groups, values, with_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

#: Columns of one point; equal ones twice are one point sent twice.
_COPIES = ("series", "start_time_ns", "time_ns", "value_int", "value_double", "count", "sum")
_SIDES = ("positive", "negative")


def merged(points: pa.Table, step_ns: int) -> pa.Table:
    """One point for each series and step of deltas without markers, sorted by ``series`` and ``time_ns``.

    ``layout`` is a number that equal bounds have in common. The result has ``sample_count`` and ``sample_sum``.
    """
    points = points.filter(pa.array(~_is_copy(points)))
    starts = step_groups(points, step_ns)
    starts = _by_layout(points, starts)
    ends = np.append(starts[1:], points.num_rows) - 1
    table = points.take(pa.array(ends))
    for name, column in {
        "start_time_ns": _first_start(points, starts),
        "count": _reduced(points, "count", np.uint64, np.add, starts),
        "sum": _reduced(points, "sum", np.float64, np.add, starts),
        "min": _reduced(points, "min", np.float64, np.fmin, starts),
        "max": _reduced(points, "max", np.float64, np.fmax, starts),
        **_numbers(points, starts),
        "bucket_counts": _explicit(points, starts, table),
        **_exponential(points, starts),
    }.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    sums = np.add.reduceat(values(points), starts)
    count = np.diff(np.append(starts, points.num_rows)).astype(np.uint64)
    return with_samples(table, count, sums, np.isnan(sums))


def _is_copy(points: pa.Table) -> NDArray[np.bool_]:
    same = np.ones(points.num_rows, bool)
    same[:1] = False
    for name in _COPIES:
        column = numbers(points, name, np.float64 if points[name].type == pa.float64() else np.uint64)
        same[1:] &= column[1:] == column[:-1]
    return same


def _by_layout(points: pa.Table, starts: Ints) -> Ints:
    """Groups whose bounds differ, cut into single points."""
    layout = numbers(points, "layout", np.uint64)
    lowest, highest = np.minimum.reduceat(layout, starts), np.maximum.reduceat(layout, starts)
    differs = np.repeat(lowest != highest, np.diff(np.append(starts, points.num_rows)))
    is_start = differs
    is_start[starts] = True
    return np.flatnonzero(is_start)


def _first_start(points: pa.Table, starts: Ints) -> Any:
    start = numbers(points, "start_time_ns", np.int64)
    known = start != 0
    first = np.minimum.reduceat(np.where(known, start, np.iinfo(np.int64).max), starts)
    return pa.array(first, pa.int64(), mask=~np.logical_or.reduceat(known, starts))


def _reduced(points: pa.Table, name: str, kind: Any, how: Any, starts: Ints) -> Any:
    """A column's sum, smallest or largest in each group, null where every value is."""
    known = pc.is_valid(points[name]).to_numpy()
    column = numbers(points, name, kind)
    if how is not np.add:
        column = np.where(known, column, np.nan)
    return pa.array(how.reduceat(column, starts), points[name].type, mask=~np.logical_or.reduceat(known, starts))


def _numbers(points: pa.Table, starts: Ints) -> dict[str, Any]:
    """The added values: an integer if all are."""
    has_double = np.logical_or.reduceat(pc.is_valid(points["value_double"]).to_numpy(), starts)
    has_int = np.logical_or.reduceat(pc.is_valid(points["value_int"]).to_numpy(), starts)
    doubles, integers = np.add.reduceat(values(points), starts), numbers(points, "value_int", np.int64)
    return {
        "value_double": pa.array(doubles, pa.float64(), mask=~has_double),
        "value_int": pa.array(np.add.reduceat(integers, starts), pa.int64(), mask=has_double | ~has_int),
    }


def _explicit(points: pa.Table, starts: Ints, merged_points: pa.Table) -> Any:
    """The added buckets; those of a group have the same bounds, so the same number."""
    items, offsets = flat_lists(points["bucket_counts"])
    lengths = np.diff(offsets)
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, points.num_rows)))
    size = np.maximum.reduceat(lengths, starts)
    base = np.concatenate(([0], np.cumsum(size)))
    row = np.repeat(np.arange(points.num_rows), lengths)
    place = base[group[row]] + np.arange(len(items)) - offsets[row]
    added = np.zeros(base[-1], np.uint64)
    np.add.at(added, place, items)
    return list_column(added, base, merged_points["bucket_counts"].type.value_type)


def _exponential(points: pa.Table, starts: Ints) -> dict[str, Any]:
    """Scale, zero bucket and both sides of exponential histograms."""
    sizes = np.diff(np.append(starts, points.num_rows))
    has_scale = pc.is_valid(points["scale"]).to_numpy()
    scale = np.where(has_scale, numbers(points, "scale", np.int64), np.iinfo(np.int32).max)
    coarsest = np.minimum.reduceat(scale, starts)
    shift = scale - np.repeat(coarsest, sizes)
    columns = {
        "scale": pa.array(coarsest.astype(np.int32), mask=~np.logical_or.reduceat(has_scale, starts)),
        "zero_count": _reduced(points, "zero_count", np.uint64, np.add, starts),
        "zero_threshold": _reduced(points, "zero_threshold", np.float64, np.fmax, starts),
    }
    for side in _SIDES:
        columns |= _side(points, side, starts, shift)
    return columns


def _side(points: pa.Table, side: str, starts: Ints, shift: Ints) -> dict[str, Any]:
    """The buckets of one side, added where they fall together at the coarsest scale."""
    items, offsets = flat_lists(points[f"{side}_counts"])
    row = np.repeat(np.arange(points.num_rows), np.diff(offsets))
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, points.num_rows)))[row]
    index = numbers(points, f"{side}_offset", np.int64)[row] + np.arange(len(items)) - offsets[row]
    index >>= shift[row]
    low = _extreme(np.minimum, index, group, len(starts))
    high = _extreme(np.maximum, index, group, len(starts))
    is_filled = np.bincount(group, minlength=len(starts)) > 0
    size = np.where(is_filled, high - low + 1, 0)
    base = np.concatenate(([0], np.cumsum(size)))
    added = np.zeros(base[-1], np.uint64)
    np.add.at(added, base[group] + index - low[group], items)
    kind = points[f"{side}_counts"].type.value_type
    return {
        f"{side}_offset": pa.array(low.astype(np.int32), mask=~is_filled),
        f"{side}_counts": list_column(added, base, kind),
    }


def _extreme(how: Any, index: Ints, group: Ints, size: int) -> Ints:
    """The smallest or largest index of each group, 0 for groups without any."""
    found = np.zeros(size, np.int64)
    if len(index):
        first = np.flatnonzero(np.diff(group, prepend=-1))
        found[group[first]] = how.reduceat(index, first)
    return found
