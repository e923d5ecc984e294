"""SQL that turns a metric's points into one value for each group and step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.query.metrics.increase import increase, margin, overlapping_deltas, pieces
from spanglass_server.query.metrics.points import Sql, by_names, points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.metrics.identity import Metric
    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import QuerySession, Window

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A range query over one metric, and where it is asked."""

    session: QuerySession
    window: Window
    buckets: Buckets
    metric: Metric
    by: Sequence[str]
    filter_text: str
    limit: int

    def points(self, values: Sql, margin_ns: int = 0) -> Sql:
        """Select the metric's points with these values."""
        return points(
            self.session,
            self.window,
            self.metric,
            filter_text=self.filter_text,
            by=self.by,
            values=values,
            margin_ns=margin_ns,
        )


_NUMBER = Sql("coalesce(value_double, value_int::DOUBLE) * $factor AS value", [], {"value_double", "value_int"})
_TOTALS = Sql("count::DOUBLE AS n, sum * $factor AS total", [], {"count", "sum"})


def gauge_rows(question: Question, q: float | None) -> list[Row]:
    """Aggregate values as they are, those that are finite.

    Rows: groups, ``step``, ``avg``, ``sum`` (of each series' last value), ``min``, ``max``, ``count``, ``quantile``,
    ``not_finite`` (how many values were left out).
    """
    chosen, by, step_ns = question.points(_NUMBER), by_names(question.by), question.buckets.step_ns
    finite = "FILTER (isfinite(value))"
    text = f"""
    WITH points AS (SELECT *, time_ns // {step_ns} * {step_ns} AS step FROM ({chosen.text})),
    by_series AS (
        SELECT {by} step, series, sum(value) {finite} AS total, min(value) {finite} AS low, max(value) {finite} AS high,
            count(*) {finite} AS n, arg_max(value, time_ns) {finite} AS last,
            count(*) FILTER (NOT isfinite(value)) AS not_finite, {_values_list(q)} AS listed
        FROM points GROUP BY ALL
    ),
    grouped AS (
        SELECT {by} step, sum(total) / nullif(sum(n), 0) AS avg, sum(last) AS sum, min(low) AS min, max(high) AS max,
            nullif(sum(n), 0) AS count, sum(not_finite) AS not_finite, sum(n) AS weight,
            {_quantile_of_lists(q)} AS quantile
        FROM by_series GROUP BY ALL
    )
    """  # noqa: S608 - made of integers of ours and expressions that bind their values
    parameters = [*chosen.parameters, *([] if q is None else [q])]
    return largest(question, text, parameters)


def _values_list(q: float | None) -> str:
    return "0" if q is None else "list(value) FILTER (isfinite(value))"


def _quantile_of_lists(q: float | None) -> str:
    return "0" if q is None else "list_aggregate(flatten(list(listed)), 'quantile_cont', ?::DOUBLE)"


def counter_rows(question: Question) -> list[Row]:
    """Aggregate increases of sums.

    Rows: groups, ``step``, ``increase``, ``paced``, ``avg``, ``min``, ``max`` (of the series' increases), ``count`` (of
    points), ``from_ns`` and ``to_ns`` (the time they cover), ``resets``, ``overlapping``.
    """
    measures = f"""
        sum({increase("value")}) AS value, sum({increase("value", "paced")}) AS paced,
    """
    outer = "sum(value) AS increase, sum(paced) AS paced, avg(value) AS avg, min(value) AS min, max(value) AS max, "
    return _increase_rows(question, _NUMBER, ["value"], measures, outer, where="isfinite(value)")


def total_rows(question: Question) -> list[Row]:
    """Aggregate counts and sums of histograms.

    Rows: groups, ``step``, ``increase`` and ``paced`` (of observations), ``sum``, ``avg``, and from ``counter_rows``
    the time covered, ``resets`` and ``overlapping``.
    """
    measures = f"""
        sum({increase("n")}) AS value, sum({increase("n", "paced")}) AS paced, sum({increase("total")}) AS total,
        sum({increase("n")}) FILTER (total IS NOT NULL) AS totalled,
    """
    outer = (
        "sum(value) AS increase, sum(paced) AS paced, sum(total) AS sum, sum(total) / nullif(sum(totalled), 0) AS avg, "
    )
    return _increase_rows(question, _TOTALS, ["n", "total"], measures, outer, where="true")


def _increase_rows(
    question: Question, values: Sql, names: Sequence[str], measures: str, outer: str, *, where: str
) -> list[Row]:
    """Sum pieces by series, then by group."""
    by = by_names(question.by)
    chosen = question.points(values, margin(question.buckets))
    chosen.text = f"SELECT * FROM ({chosen.text}) WHERE {where}"  # noqa: S608 - a condition of ours

    def ask(dropped: Sequence[int]) -> list[Row]:
        found = pieces(chosen, question.window, question.buckets, measures=names, dropped=dropped)
        text = f"""
        {found.text},
        by_series AS (
            SELECT {by} step, series, {measures} min(from_ns) FILTER (share IS NOT NULL) AS from_ns,
                max(to_ns) FILTER (share IS NOT NULL) AS to_ns, {FACTS}
            FROM pieces GROUP BY ALL
        ),
        grouped AS (
            SELECT {by} step, {outer} nullif(sum(n_points), 0) AS count, min(from_ns) AS from_ns, max(to_ns) AS to_ns,
                sum(resets) AS resets, sum(overlapping) AS overlapping, sum(abs(value)) AS weight
            FROM by_series GROUP BY ALL
        )
        """  # noqa: S608 - made of SQL whose values are bound
        return largest(question, text, found.parameters)

    return without_overlaps(question, chosen, ask)


FACTS = (
    "count(*) FILTER (is_last AND share IS NOT NULL) AS n_points, count(*) FILTER (is_last AND is_reset) AS resets, "
    "count(*) FILTER (is_last AND is_overlap) AS overlapping"
)


def without_overlaps(question: Question, chosen: Sql, ask: Any) -> list[Row]:
    """Ask once; where deltas overlapped, find which to drop and ask again without them."""
    rows: list[Row] = ask(())
    if not any(row["overlapping"] for row in rows):
        return rows
    dropped = overlapping_deltas(question.session, chosen)
    rows = ask(dropped)
    for row in rows[:1]:
        row["overlapping"] = len(dropped)
    return rows


def largest(question: Question, text: str, parameters: list[Any]) -> list[Row]:
    """Read ``grouped``, only its largest groups (one more than the limit), by group and step."""
    keys = ", ".join(f"by_{index}" for index, _ in enumerate(question.by)) or "0"
    sql = f"""
    {text}, hashed AS (SELECT *, hash({keys}) AS group_hash FROM grouped),
    totals AS (
        SELECT group_hash, row_number() OVER (ORDER BY sum(weight) DESC, any_value(row({keys})::VARCHAR)) AS group_place
        FROM hashed GROUP BY group_hash QUALIFY group_place <= ?
    )
    SELECT * EXCLUDE (group_hash) FROM hashed JOIN totals USING (group_hash) ORDER BY group_place, step
    """  # noqa: S608 - made of SQL whose values are bound
    return question.session.rows(sql, [*parameters, question.limit + 1])
