"""The sum of groups of native histograms: what addition, difference, aggregation and rates come down to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.layout import common, fitted
from spanglass_server.promql.histograms.rows import blank, compact, concat, grouped, is_custom, take
from spanglass_server.promql.histograms.sums import group_sums, starts
from spanglass_server.promql.series.histograms import Buckets, Histograms, ResetHint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Buckets that are merged at once: some hundred megabytes.
_AT_ONCE = 4_000_000
#: A table of groups and buckets may have so many cells for each bucket to be merged.
_SPARSE = 16


@dataclass(frozen=True, slots=True)
class Merged:
    """One histogram a group, and what is to be said of it.

    ``incompatible``: custom and exponential buckets meet, the histogram is void. ``reduced``: custom bounds differed,
    only those that all have are left. ``collision``: a counter reset is said of one and denied of another.
    """

    histograms: Histograms
    incompatible: NDArray[np.bool_]
    reduced: NDArray[np.bool_]
    collision: NDArray[np.bool_]


def merged(
    histograms: Histograms, group: NDArray[np.intp], size: int, weight: NDArray[np.float64] | None = None
) -> Merged:
    """The sum of the histograms of each group, each times its ``weight`` (1 without); no empty buckets are left.

    Sums without weights lose no digits to cancellation; with weights they are plain ones, as in Prometheus. A group
    histograms has a blank one.
    """
    incompatible = _incompatible(histograms, group, size)
    if incompatible.any() or (np.diff(group) < 0).any():
        chosen = np.argsort(group, kind="stable")
        chosen = chosen[~incompatible[group[chosen]]]
        histograms, group = take(histograms, chosen), group[chosen]
        weight = None if weight is None else weight[chosen]
    hint, collision = _hints(histograms, group, size)
    layout, reduced = common(histograms, group, size)
    rows = fitted(histograms, group, layout)
    if weight is not None:
        rows = weighted(rows, weight)
    out = replace(
        blank(size),
        schema=layout.schema,
        zero_threshold=layout.threshold,
        zero_count=group_sums(rows.zero_count, group, size),
        count=group_sums(rows.count, group, size),
        sum=group_sums(rows.sum, group, size),
        reset_hint=hint,
        positive=_merged(rows.positive, group, size, is_plain=weight is not None),
        negative=_merged(rows.negative, group, size, is_plain=weight is not None),
        custom=layout.custom,
        bounds=layout.bounds,
    )
    return Merged(compact(out), incompatible, reduced, collision)


def merged_rows(
    histograms: Histograms,
    rows: NDArray[np.intp],
    group: NDArray[np.intp],
    size: int,
    weight: NDArray[np.float64] | None = None,
) -> Merged:
    """As ``merged`` of ``take(histograms, rows)``, which is made for a part of the groups at a time."""
    order = np.argsort(group, kind="stable")
    rows, group = rows[order], group[order]
    weight = None if weight is None else weight[order]
    length = np.diff(histograms.positive.offsets)[rows] + np.diff(histograms.negative.offsets)[rows]
    begin = np.searchsorted(group, np.arange(size + 1))
    filled = np.concatenate([[0], np.cumsum(length + 1)])[begin]
    parts, first = [], 0
    while first < size:
        last = max(first + 1, int(np.searchsorted(filled, filled[first] + _AT_ONCE, "right")) - 1)
        part = slice(int(begin[first]), int(begin[last]))
        weights = None if weight is None else weight[part]
        parts.append(merged(take(histograms, rows[part]), group[part] - first, last - first, weights))
        first = last
    return _joined(parts) if parts else merged(take(histograms, rows), group, size)


def weighted(rows: Histograms, weight: NDArray[np.float64]) -> Histograms:
    """Each histogram times a number; empty buckets and the hint stay as they are."""
    with np.errstate(invalid="ignore", over="ignore"):
        return replace(
            rows,
            zero_count=rows.zero_count * weight,
            count=rows.count * weight,
            sum=rows.sum * weight,
            positive=_weighted(rows.positive, weight),
            negative=_weighted(rows.negative, weight),
        )


def _joined(parts: Sequence[Merged]) -> Merged:
    if len(parts) == 1:
        return parts[0]
    return Merged(
        concat([part.histograms for part in parts]),
        np.concatenate([part.incompatible for part in parts]),
        np.concatenate([part.reduced for part in parts]),
        np.concatenate([part.collision for part in parts]),
    )


def _weighted(buckets: Buckets, weight: NDArray[np.float64]) -> Buckets:
    return replace(buckets, count=buckets.count * np.repeat(weight, np.diff(buckets.offsets)))


def _incompatible(histograms: Histograms, group: NDArray[np.intp], size: int) -> NDArray[np.bool_]:
    custom = is_custom(histograms)
    if custom.all() or not custom.any():
        return np.zeros(size, bool)
    of_custom = np.bincount(group[custom], minlength=size)
    return (of_custom > 0) & (of_custom < np.bincount(group, minlength=size))


def _hints(histograms: Histograms, group: NDArray[np.intp], size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A gauge in the group makes the sum one; any other difference makes its resets unknown."""
    lowest, highest = np.full(size, 255, np.uint8), np.zeros(size, np.uint8)
    np.minimum.at(lowest, group, histograms.reset_hint)
    np.maximum.at(highest, group, histograms.reset_hint)
    hint = np.where(lowest == highest, highest, ResetHint.UNKNOWN).astype(np.uint8)
    hint[highest == ResetHint.GAUGE] = ResetHint.GAUGE
    said, denied = (
        np.bincount(group[histograms.reset_hint == one], minlength=size) > 0
        for one in (ResetHint.RESET, ResetHint.NO_RESET)
    )
    return hint, said & denied


def _merged(buckets: Buckets, group: NDArray[np.intp], size: int, *, is_plain: bool) -> Buckets:
    if not len(buckets.index):
        return Buckets.none(size)
    least = buckets.index.min()
    width = int(buckets.index.max() - least) + 1
    key = np.repeat(group * width - least, np.diff(buckets.offsets)) + buckets.index
    if (is_plain or not (buckets.count < 0).any()) and size * width <= _SPARSE * len(key):
        # Of counts of one sign no digits are lost: each has its place in a table of groups and buckets.
        table = np.bincount(key, weights=buckets.count, minlength=size * width).astype(np.float64, copy=False)
        filled = np.flatnonzero(table)
        row, index = np.divmod(filled, width)
        return grouped(row, index + least, table[filled], size)
    order = np.argsort(key, kind="stable")
    key = key[order]
    begin = starts(key)
    place = np.repeat(np.arange(len(begin)), np.diff(np.append(begin, len(key))))
    count = group_sums(buckets.count[order], place, len(begin))
    row, index = np.divmod(key[begin], width)
    return grouped(row, index + least, count, size)
