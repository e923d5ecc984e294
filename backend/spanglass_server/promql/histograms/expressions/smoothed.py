"""Native histograms of ``smoothed`` instant selectors: on the line between the samples around each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.windows import step_times, window_ends, without
from spanglass_server.promql.histograms import ranges
from spanglass_server.promql.histograms.expressions.placing import Part, placed
from spanglass_server.promql.histograms.expressions.terms import Terms, add_value
from spanglass_server.promql.histograms.expressions.window_functions import MIXED, MIXED_LAYOUTS, RECONCILED
from spanglass_server.promql.histograms.expressions.windows import around
from spanglass_server.promql.histograms.rows import is_custom, take
from spanglass_server.promql.series.histograms import ResetHint
from spanglass_server.promql.series.labels import NAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.evaluation.selectors import Range
    from spanglass_server.promql.histograms.merging import Merged
    from spanglass_server.promql.parsing.nodes import VectorSelector
    from spanglass_server.promql.series.samples import Samples
    from spanglass_server.promql.series.vectors import Vector


@dataclass(frozen=True, slots=True)
class _Steps:
    """The cells that have a value: the sample ``place`` of each, or one ``between`` it and the sample before."""

    cells: tuple[NDArray[np.intp], ...]
    place: NDArray[np.int64]
    between: NDArray[np.bool_]
    at_ms: NDArray[np.int64]


def smoothed_histograms(query: Query, node: VectorSelector, range_: Range, floats: Vector) -> Vector:
    """``floats``, the smoothed values of floats, with those of histograms besides."""
    samples = range_.samples
    if samples.histogram is None or samples.histograms is None or not (samples.histogram >= 0).any():
        return floats
    only = without(samples, samples.histogram < 0)
    others, there = around(range_, histograms=False), around(range_, histograms=True)
    steps = _steps(range_, only, there & ~others)
    found, void = _values(only, steps)
    _warn(query, node, only, MIXED, np.flatnonzero((there & others).any(axis=1)))
    _warn(query, node, only, MIXED_LAYOUTS, steps.cells[0][void])
    if (found.reduced & ~void).any():
        for name in ("subtraction", "addition"):
            query.notes.inform(f"{RECONCILED} {name}", node.position)
    good = np.flatnonzero(~void)
    part = Part(tuple(axis[good] for axis in steps.cells), take(found.histograms, good))
    return placed(replace(floats, present=floats.present & ~there), [part])


def _steps(range_: Range, only: Samples, asked: NDArray[np.bool_]) -> _Steps:
    """The sample at each step or else the next one; the last one where there is no next."""
    ends = (only.time_ms, only.offsets, range_.steps)
    before, after = window_ends(*ends, 1), window_ends(*ends, -range_.lookback_ms)
    at_ms = np.broadcast_to(step_times(range_.steps), before.shape)
    has_next = before < after
    place = np.clip(np.where(has_next, before, before - 1), 0, len(only.value) - 1)
    is_exact = has_next & (only.time_ms[place] == at_ms)
    cells = np.nonzero(asked & (is_exact | (before > window_ends(*ends, range_.lookback_ms))))
    return _Steps(cells, place[cells], (has_next & ~is_exact)[cells], at_ms[cells])


def _values(only: Samples, steps: _Steps) -> tuple[Merged, NDArray[np.bool_]]:
    """The histogram of each cell, and which of them are void, as custom and exponential buckets meet."""
    assert only.histogram is not None and only.histograms is not None  # noqa: S101, PT018
    histograms = ranges.Samples(only.time_ms, only.histogram, only.histograms)
    reset = ranges.reset_before(histograms)
    gauge = only.histograms.reset_hint[only.histogram] == ResetHint.GAUGE
    reset[1:] &= ~(gauge[1:] & gauge[:-1])
    terms = Terms()
    add_value(terms, histograms, steps.place, steps.between, (steps.at_ms, 1.0), reset)
    found = terms.merged(only.histograms, len(steps.place))
    own = is_custom(only.histograms)[only.histogram]
    unlike = steps.between & (own[steps.place] != own[np.maximum(steps.place - 1, 0)])
    return found, found.incompatible | unlike


def _warn(query: Query, node: VectorSelector, only: Samples, message: str, series: NDArray[np.intp]) -> None:
    names = only.labels.column(NAME)
    for code in np.unique(names.codes[series]).tolist():
        query.notes.warn(f'{message} "{names.values[code]}"', node.position)
