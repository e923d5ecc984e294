"""Gauges, and sums that may fall: values as they are, each kept until the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.increase import NUMBER_COLUMNS
from spanglass_server.query.metrics.points import Selection, Values, reach_of
from spanglass_server.query.metrics.question import GAP_NS
from spanglass_server.query.statements import statement

if TYPE_CHECKING:
    from spanglass_server.query.metrics.question import Notes

Row = dict[str, Any]

_FOLLOWED = Sql("(SELECT *, NULL::BIGINT AS ended_ns FROM followed)")
_NONE = Sql("0")


def gauge_rows(selection: Selection, aggregate: str, q: float | None, notes: Notes) -> list[Row]:
    """Aggregate values of each group and step: rows with groups, ``step`` and ``value`` (None for a gap)."""
    buckets = selection.buckets
    value = statement("metrics/values_gauge", factor=selection.factor)
    reach = reach_of(selection, GAP_NS)
    points = selection.points(Values(value, NUMBER_COLUMNS), reach, with_markers=True)
    grouped = statement(
        "metrics/gauges",
        points=points,
        by=selection.by,
        start_ns=selection.window.start_ns,
        end_ns=selection.window.end_ns,
        first_ns=buckets.first_ns,
        step_ns=buckets.step_ns,
        hold_ns=GAP_NS,
        followed=statement("metrics/marked") if selection.metric.has_markers else _FOLLOWED,
        listed=_NONE if q is None else Sql("list(finite) FILTER (finite IS NOT NULL)"),
        held_listed=_NONE if q is None else Sql("[last]"),
        quantile=_NONE if q is None else Sql("list_aggregate(flatten(list(listed)), 'quantile_cont', ?::DOUBLE)", (q,)),
    )
    rows = selection.largest(grouped)
    notes.count(sum(row["not_finite"] for row in rows), "value is not a finite number", "values are not finite numbers")
    return [row | {"value": row[aggregate]} for row in rows]
