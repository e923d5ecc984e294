"""Range queries over metrics: one value for each group and step (docs/metrics.md)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, get_args

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.metrics.answers import Aggregate, Point, PointSeries, RangeAnswer
from spanglass_server.query.metrics.estimates import distribution_rows
from spanglass_server.query.metrics.gauges import gauge_rows
from spanglass_server.query.metrics.identity import Kind
from spanglass_server.query.metrics.points import Selection
from spanglass_server.query.metrics.question import Notes
from spanglass_server.query.metrics.raw import raw_series
from spanglass_server.query.metrics.totals import OF_TOTALS, counter_rows, group_key, total_rows
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.window import bucket_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.metrics.question import Question
    from spanglass_server.store.ports import QuerySession

Row = dict[str, Any]

AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)

_COUNTED = ("rate", "increase", "avg", "sum", "min", "max", "count")
#: What can be asked of each kind, besides its points as they are.
ALLOWED = {
    Kind.GAUGE: ("avg", "sum", "min", "max", "count", "quantile"),
    Kind.COUNTER: _COUNTED,
    Kind.HISTOGRAM: (*_COUNTED, "quantile"),
    Kind.EXPONENTIAL: (*_COUNTED, "quantile"),
    Kind.SUMMARY: OF_TOTALS,
}
_WHY_NOT = {
    Kind.GAUGE: "its values may fall as well as rise",
    Kind.COUNTER: "it has no distribution",
    Kind.SUMMARY: "its quantiles were computed by the sender and cannot be merged; raw shows them as they were sent",
}


def query_range(
    session: QuerySession, question: Question, aggregate: Aggregate = "raw", q: float | None = None
) -> RangeAnswer:
    """Answer ``GET /api/v1/metrics/query``; ``BadQuestionError`` names the parameter that does not fit the metric."""
    selection = Selection.of(session, question)
    _check(selection, aggregate, q)
    notes = Notes()
    if aggregate == "raw":
        series = raw_series(selection, notes.add)
    else:
        series = _series(selection, _rows(selection, aggregate, q, notes), notes)
    return {
        "name": selection.metric.name,
        "type": selection.metric.type,
        "unit": selection.metric.unit,
        "aggregate": aggregate,
        "step_s": selection.buckets.step_s,
        "series": series,
        "notes": notes.texts,
    }


def _check(selection: Selection, aggregate: str, q: float | None) -> None:
    """Refuse an aggregate that has no meaning for the kind of metric."""
    kind = selection.metric.kind
    if aggregate == "raw":
        return
    if aggregate not in ALLOWED[kind]:
        raise BadQuestionError(
            f"The metric {selection.metric.name!r} ({kind.replace('_', ' ')}) has no {aggregate}: {_WHY_NOT[kind]}.",
            field="aggregate",
            hint=f"Ask for one of: {', '.join(('raw', *ALLOWED[kind]))}.",
        )
    if aggregate == "quantile" and q is None:
        raise BadQuestionError("A quantile needs q, 0 to 1.", field="q", hint="For the 95th percentile give q=0.95.")
    if q is not None and not 0 <= q <= 1:
        raise BadQuestionError(f"q is {q}; give 0 to 1.", field="q", hint="For the 95th percentile give q=0.95.")


def _rows(selection: Selection, aggregate: str, q: float | None, notes: Notes) -> list[Row]:
    """Ask for one aggregate: rows with groups, ``step`` and ``value`` (None for a gap)."""
    kind = selection.metric.kind
    if kind is Kind.GAUGE:
        return gauge_rows(selection, aggregate, q, notes)
    if kind is Kind.COUNTER:
        rows = counter_rows(selection, aggregate, notes)
    elif aggregate in OF_TOTALS:
        rows = total_rows(selection, aggregate, notes)
    else:
        rows = distribution_rows(selection, aggregate, q, notes)
    notes.count(sum(row["resets"] for row in rows), "reset", "resets")
    notes.count(
        sum(row["incomparable"] for row in rows),
        "point with other buckets than the one before it adds nothing",
        "points with other buckets than those before them add nothing",
    )
    return rows


def _series(selection: Selection, rows: Sequence[Row], notes: Notes) -> list[PointSeries]:
    """Put rows together to series; a step without a value is a missing point."""
    series: list[PointSeries] = []
    limit, by = selection.question.limit, selection.question.by
    for key, part in groupby(rows, group_key(selection)):
        if key[0] > limit:
            notes.add(f"only the {limit} largest groups are shown; group by fewer keys, filter, or raise limit")
            break
        points: list[Point] = [
            {"t": bucket_seconds(row["step"]), "value": json_value(row["value"])}
            for row in part
            if row["value"] is not None
        ]
        if points:
            series.append({"by": dict(zip(by, map(json_value, key[1:]), strict=True)), "points": points})
    return series
