"""Aggregation of series with native histograms: sum and avg; all others leave them out or count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.expressions.placing import Part, placed, rows_of
from spanglass_server.promql.histograms.means import mean_rows
from spanglass_server.promql.histograms.merging import merged_rows
from spanglass_server.promql.histograms.rows import is_custom, take
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.series.vectors import Scalar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.parsing.nodes import Aggregate
    from spanglass_server.promql.series.vectors import Value, Vector

#: Those that have no use for histograms.
IGNORING = frozenset({"min", "max", "stddev", "stdvar", "quantile", "topk", "bottomk"})


def tell_ignored(query: Query, node: Aggregate, vector: Vector, param: Value | None) -> None:
    """Tell that histograms are left out of an aggregation; where ``topk`` takes none anyway they are not."""
    histograms = rows_of(vector) >= 0
    if node.op in {"topk", "bottomk"} and isinstance(param, Scalar):
        histograms = histograms & (param.values >= 1)
    if node.op in IGNORING and histograms.any():
        place = node.position if node.op in {"topk", "bottomk"} else node.expr.position
        query.notes.inform(f"ignored histogram in {node.op} aggregation", place)


def aggregated(query: Query, node: Aggregate, vector: Vector, group: NDArray[np.intp], floats: Vector) -> Vector:
    """``floats``, the sum or mean of the floats of each group, with that of histograms besides.

    A group has floats or histograms at a step; one with both has no value, with a warning.
    """
    rows = rows_of(vector)
    if vector.histograms is None or not (rows >= 0).any():
        return floats
    series, step = np.nonzero(rows >= 0)
    steps = rows.shape[1]
    cell, cell_of = np.unique(group[series] * steps + step, return_inverse=True)
    row, column = np.divmod(cell, steps)
    mixed = floats.present[row, column]
    compute = merged_rows if node.op == "sum" else mean_rows
    found = compute(vector.histograms, rows[series, step], cell_of.reshape(-1), len(cell))
    position = node.expr.position
    if mixed.any():
        query.notes.warn("encountered a mix of histograms and floats for aggregation", position)
        floats.present[row[mixed], column[mixed]] = False
    for name in _names(
        vector, _first_unlike(vector, rows[series, step], series, cell_of.reshape(-1), found.incompatible)
    ):
        message = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
        query.notes.warn(f'{message} "{name}"', position)
    good = ~mixed & ~found.incompatible
    if (found.collision & good).any():
        query.notes.warn("conflicting counter resets during histogram aggregation", position)
    if (found.reduced & ~found.incompatible).any():
        query.notes.inform("mismatched custom buckets were reconciled during aggregation", position)
    kept = np.flatnonzero(good)
    return placed(floats, [Part((row[kept], column[kept]), take(found.histograms, kept))])


def _first_unlike(
    vector: Vector,
    rows: NDArray[np.int64],
    series: NDArray[np.intp],
    cell: NDArray[np.intp],
    void: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """The series of each void cell with which histograms of the other kind begin."""
    assert vector.histograms is not None  # noqa: S101
    order = np.argsort(cell, kind="stable")
    order = order[void[cell[order]]]
    own = is_custom(vector.histograms)[rows[order]]
    _, begin, of = np.unique(cell[order], return_index=True, return_inverse=True)
    unlike = np.flatnonzero(own != own[begin][of])
    _, first = np.unique(of[unlike], return_index=True)
    return series[order[unlike[first]]]


def _names(vector: Vector, series: NDArray[np.intp]) -> list[str]:
    names = vector.labels.column(NAME)
    return [names.values[code] for code in np.unique(names.codes[series]).tolist()]
