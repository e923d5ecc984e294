"""Subqueries: an expression at steps of its own, whose values are samples for a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.cells import occupied
from spanglass_server.promql.evaluation.selectors import Range, plain, shifted
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Scalar, Steps, Value, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.parsing.nodes import Expr, Subquery


def subquery(
    query: Query, node: Subquery, steps: Steps, evaluate: Callable[[Query, Expr, Steps], Value | Range]
) -> Range:
    """The samples that a subquery computes. Its steps are whole multiples of their length since 1970."""
    times, range_ms = shifted(steps, node.at, plain(node.offset)), plain(node.range)
    step_ms = query.options.subquery_step_ms if node.step is None else plain(node.step)
    before_ms = times.start_ms - range_ms
    # Towards zero, as Prometheus divides.
    first_ms = step_ms * int(before_ms / step_ms)
    if first_ms <= before_ms:
        first_ms += step_ms
    inner = Steps(first_ms, step_ms, max(0, (times.end_ms - first_ms) // step_ms + 1))
    query.check_size(inner.size)
    value = evaluate(query, node.expr, inner)
    if isinstance(value, Scalar):
        value = Vector(LabelSets(1), value.values[None, :], np.ones((1, inner.size), np.bool_))
    if not isinstance(value, Vector):
        raise execution_error("a subquery is of an instant vector or a scalar")
    return Range(_as_samples(value, inner), times, range_ms, node.position)


def _as_samples(vector: Vector, steps: Steps) -> Samples:
    cells = occupied(vector)
    offsets = np.concatenate(([0], np.cumsum(cells.sum(axis=1)))).astype(np.int64)
    rows, columns = np.nonzero(cells)
    histogram = None if vector.histogram is None else vector.histogram[rows, columns]
    time_ms = step_times(steps)[columns]
    return Samples(vector.labels, offsets, time_ms, vector.values[rows, columns], None, histogram, vector.histograms)
