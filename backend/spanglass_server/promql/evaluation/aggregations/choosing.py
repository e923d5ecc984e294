"""Aggregations that choose series or count values: topk, bottomk, limitk, limit_ratio, count_values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.aggregations.hashes import label_fractions
from spanglass_server.promql.evaluation.cells import masked, merged, nonempty, occupied, take
from spanglass_server.promql.histograms.json_form import texts
from spanglass_server.promql.histograms.rows import take as take_rows
from spanglass_server.promql.series.go_numbers import go_number
from spanglass_server.promql.series.labels import LabelColumn
from spanglass_server.promql.series.text import number_text
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.aggregations.grouping import Grouped

    Floats = NDArray[np.float64]

#: Of groups with more members only the first ones are ranked.
_LARGE_GROUP = 256


def top(vector: Vector, groups: Grouped, limits: Floats, *, largest: bool) -> Vector:
    """The series with the largest (or smallest) values of each group, ``limits`` of them at each step."""
    limit = np.minimum(_whole(limits), vector.labels.size)
    ranks = np.full(vector.values.shape, vector.labels.size, np.int64)
    most = int(limit.max(initial=0))
    for _, rows in groups.by_size():
        if rows.shape[1] > max(_LARGE_GROUP, 4 * most):
            for members in rows:
                _rank_first(ranks, vector, members, most, largest=largest)
        else:
            ranks[rows] = _ranks(vector.values[rows], vector.present[rows], largest=largest)
    chosen = masked(vector, vector.present & (ranks < limit))
    if vector.values.shape[1] == 1:  # an instant vector is told by rank
        chosen = take(chosen, np.lexsort((ranks[:, 0], groups.of)))
    return nonempty(chosen)


def _rank_first(
    ranks: NDArray[np.int64], vector: Vector, members: NDArray[np.intp], most: int, *, largest: bool
) -> None:
    """Write the ranks of the members of a large group that are among its first ``most``, as ``_ranks`` has them.

    The ``most``-th of the least keys of blocks is no less than the one of all: what lies above it need not be sorted.
    """
    if most <= 0:
        return
    values, present = vector.values[members], vector.present[members]
    keys = -values if largest else values.copy()
    keys[np.isnan(values) | ~present] = np.inf
    least = np.minimum.reduceat(keys, np.arange(0, len(keys), len(keys) // (4 * most)), axis=0)
    near = (keys <= np.partition(least, most - 1, axis=0)[most - 1]) & present
    rows, steps = np.nonzero(near)
    order = np.lexsort((keys[rows, steps], np.isnan(values[rows, steps]), steps))
    rows, steps = rows[order], steps[order]
    ranks[members[rows], steps] = np.arange(len(steps)) - np.searchsorted(steps, steps)


def _ranks(values: Floats, present: NDArray[np.bool_], *, largest: bool) -> NDArray[np.int64]:
    """The rank of each member (axis 1) of its group at each step: NaN behind numbers, absent ones last."""
    unknown = np.isnan(values) & present
    keys = -values if largest else values
    # 0 for numbers, 1 for NaN, 2 for none
    kind = np.where(present, unknown.astype(np.int8), np.int8(2))
    order = np.lexsort((np.where(kind > 0, 0.0, keys), kind), axis=1)
    ranks = np.empty(values.shape, np.int64)
    np.put_along_axis(ranks, order, np.arange(values.shape[1])[None, :, None], axis=1)
    return ranks


def first(vector: Vector, groups: Grouped, limits: Floats) -> Vector:
    """The first series of each group, ``limits`` of them at each step."""
    cells = occupied(vector)
    ranks = np.zeros(cells.shape, np.int64)
    for _, rows in groups.by_size():
        ranks[rows] = np.cumsum(cells[rows], axis=1) - 1
    return nonempty(masked(vector, cells & (ranks < _whole(limits))))


def share(vector: Vector, ratios: Floats) -> Vector:
    """A share of the series, chosen by the hash of their labels: a negative ratio gives the others' share."""
    if np.isnan(ratios).any():
        raise execution_error("Ratio value is NaN")
    places = label_fractions(vector.labels)[:, None]
    ratios = np.clip(ratios, -1, 1)
    chosen = np.where(ratios >= 0, places < ratios, places >= 1.0 + ratios)
    return nonempty(masked(vector, chosen))


def count_values(vector: Vector, groups: Grouped, label: str) -> Vector:
    """How often each value is in each group, which becomes a label."""
    if not label:
        raise execution_error('invalid label name ""')
    rows, columns, codes, values = _values(vector)
    pairs, place = np.unique(groups.of[rows] * max(1, len(values)) + codes, return_inverse=True)
    steps = vector.values.shape[1]
    numbers = np.bincount(place * steps + columns, minlength=len(pairs) * steps).reshape(len(pairs), steps)
    kept = groups.labels.take(pairs // max(1, len(values)))
    labels = kept.replace({label: LabelColumn.of(values).take(pairs % max(1, len(values)))})
    return merged(Vector(labels, numbers.astype(np.float64), numbers > 0))


def _values(vector: Vector) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], list[str]]:
    """Series and step of all cells, and their values: the place of each in a list of texts."""
    rows, columns = np.nonzero(vector.present)
    numbers, codes = np.unique(vector.values[rows, columns], return_inverse=True)
    values = [number_text(value) for value in numbers.tolist()]
    if vector.histogram is None or vector.histograms is None:
        return rows, columns, codes, values
    more_rows, more_columns = np.nonzero(vector.histogram >= 0)
    written, more_codes = np.unique(
        np.array(texts(take_rows(vector.histograms, vector.histogram[more_rows, more_columns]))), return_inverse=True
    )
    return (
        np.concatenate([rows, more_rows]),
        np.concatenate([columns, more_columns]),
        np.concatenate([codes, more_codes + len(values)]),
        values + written.tolist(),
    )


def _whole(limits: Floats) -> NDArray[np.int64]:
    if np.isnan(limits).any():
        raise execution_error("Parameter value is NaN")
    if (np.abs(limits) >= float(2**63)).any():
        raise execution_error(f"Scalar value {go_number(float(limits[0]))} overflows int64")
    return np.trunc(limits).astype(np.int64)
