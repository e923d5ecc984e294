"""PromQL of panels: evaluated at all times of the grid, in the session of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.dashboards.data.heatmaps import heatmap_of
from spanglass_server.dashboards.data.lines import Evaluated, Lines, Table
from spanglass_server.promql.engine import range_query
from spanglass_server.promql.series.vectors import Scalar, Steps, Text, Vector

if TYPE_CHECKING:
    from spanglass_server.dashboards.data.lines import Grid
    from spanglass_server.promql.engine import Options
    from spanglass_server.promql.ports import SeriesSource


def evaluate_promql(
    source: SeriesSource,
    text: str,
    grid: Grid,
    options: Options,
    *,
    as_heatmap: bool = False,
    with_infos: bool = True,
) -> Evaluated:
    """Evaluate an expression; see ``range_query`` for what it raises."""
    answer = range_query(source, text, Steps(grid.first_ms, grid.step_ms, grid.size), options)
    notes = (*answer.warnings, *(answer.infos if with_infos else ()))
    value = answer.value
    if isinstance(value, Vector):
        if as_heatmap and (heatmap := heatmap_of(value)) is not None:
            return Evaluated(Lines.none(grid.size), notes=notes, heatmap=heatmap)
        return Evaluated(_lines(value), notes=(*notes, *_of_histograms(value)))
    if isinstance(value, Scalar):
        return Evaluated(Lines(({},), value.values[None, :]), notes=notes)
    assert isinstance(value, Text)  # noqa: S101 - a range has nothing else
    return Evaluated(table=Table([{"name": "value", "type": "text"}], [[value.value]]), notes=notes)


def _lines(vector: Vector) -> Lines:
    values = np.where(vector.present, vector.values, np.nan)
    some = np.flatnonzero(vector.present.any(axis=1))
    return Lines(tuple(vector.labels.take(some).rows()), values[some])


def _of_histograms(vector: Vector) -> tuple[str, ...]:
    if vector.histogram is None or not (vector.histogram >= 0).any():
        return ()
    return ("some series are native histograms: draw them as a heatmap, or with histogram_quantile, avg or count",)
