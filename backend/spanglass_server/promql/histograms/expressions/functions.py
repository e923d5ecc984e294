"""The functions ``histogram_*``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import merged, nonempty, without_name
from spanglass_server.promql.histograms import moments
from spanglass_server.promql.histograms.classics import values as classic_values
from spanglass_server.promql.histograms.expressions.kinds import Kinds, both_kinds
from spanglass_server.promql.histograms.expressions.monotonicity import FIXED, Fixes
from spanglass_server.promql.histograms.expressions.placing import rows_of
from spanglass_server.promql.histograms.fraction import fractions
from spanglass_server.promql.histograms.quantile import quantiles
from spanglass_server.promql.histograms.rows import take
from spanglass_server.promql.series.go_numbers import openmetrics_number
from spanglass_server.promql.series.labels import LabelColumn, LabelSets
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.histograms.classics.buckets import Cells
    from spanglass_server.promql.series.histograms import Histograms

    Floats = NDArray[np.float64]

_NAN_RESULT = "input to histogram_quantile has NaN observations, result is NaN"
_NAN_SKEW = "input to histogram_quantile has NaN observations, result is skewed higher"
_NAN_FRACTION = "input to histogram_fraction has NaN observations, which are excluded from all fractions"


def _of_native(function: Callable[[Histograms], Floats]) -> Callable[[Invocation], Vector]:
    """A function of each native histogram; floats are left out."""

    def evaluate(call: Invocation) -> Vector:
        vector = call.vector(0)
        rows = rows_of(vector)
        values, present = np.zeros(rows.shape), rows >= 0
        if vector.histograms is not None:
            values[present] = function(take(vector.histograms, rows[present]))
        return without_name(nonempty(Vector(vector.labels, values, present)))

    return evaluate


def quantile(call: Invocation) -> Vector:
    """The q-quantile of each histogram, classic or native."""
    wanted, kinds = call.scalar(0), both_kinds(call, 1)
    _warn_of_quantiles(call, wanted, 0)
    return without_name(merged(nonempty(_quantiles(call, kinds, wanted, 1))))


def several_quantiles(call: Invocation) -> Vector:
    """Several quantiles of each histogram, told apart by a label."""
    kinds, label = both_kinds(call, 0), call.text(1)
    parts = []
    for place in range(2, call.size):
        wanted = call.scalar(place)
        _warn_of_quantiles(call, wanted, place)
        found = nonempty(_quantiles(call, kinds, wanted, 0))
        # A quantile that changes from step to step is another label's value each time.
        for value in np.unique(wanted).tolist():
            at = np.isnan(wanted) if np.isnan(value) else wanted == value
            column = LabelColumn.constant(openmetrics_number(value), found.labels.size)
            parts.append(Vector(found.labels.replace({label: column}), found.values, found.present & at))
    whole = Vector(
        LabelSets.concat([part.labels for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.present for part in parts]),
    )
    return without_name(merged(nonempty(whole)))


def fraction(call: Invocation) -> Vector:
    """The part of each histogram's observations between two values."""
    lower, upper = call.scalar(0), call.scalar(1)
    kinds = both_kinds(call, 2)

    def of_native(histograms: Histograms, step: NDArray[np.intp]) -> Floats:
        found = fractions(histograms, lower[step], upper[step])
        if found.is_nan_observed.any():
            call.inform(_NAN_FRACTION, 2)
        return found.values

    whole = kinds.computed(
        lambda cells: classic_values.fraction(cells, lower[cells.step], upper[cells.step]), of_native
    )
    return without_name(merged(nonempty(whole)))


def _quantiles(call: Invocation, kinds: Kinds, wanted: Floats, place: int) -> Vector:
    fixes = Fixes()

    def of_classic(cells: Cells) -> Floats:
        values, forced = classic_values.quantile(cells, wanted[cells.step])
        fixes.add(forced, cells.step)
        return values

    def of_native(histograms: Histograms, step: NDArray[np.intp]) -> Floats:
        found = quantiles(histograms, wanted[step])
        if found.is_nan_observed.any():
            call.inform(_NAN_RESULT, place)
        if found.is_skewed.any():
            call.inform(_NAN_SKEW, place)
        return found.values

    whole = kinds.computed(of_classic, of_native)
    if fixes.count:
        call.inform(FIXED, place, fixes.told(call.steps))
    return whole


def _warn_of_quantiles(call: Invocation, wanted: Floats, place: int) -> None:
    for value in np.unique(wanted[~((wanted >= 0) & (wanted <= 1))]).tolist():
        call.query.notes.warn_of_quantile(value, call.node.args[place].position)


CALLS: dict[str, Callable[[Invocation], Vector]] = {
    "histogram_avg": _of_native(moments.averages),
    "histogram_count": _of_native(lambda histograms: histograms.count),
    "histogram_fraction": fraction,
    "histogram_quantile": quantile,
    "histogram_quantiles": several_quantiles,
    "histogram_stddev": _of_native(lambda histograms: np.sqrt(moments.variances(histograms))),
    "histogram_stdvar": _of_native(moments.variances),
    "histogram_sum": _of_native(lambda histograms: histograms.sum),
}
