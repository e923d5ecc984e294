"""Increases of sums, and of the counts and sums of histograms and summaries, for each group and step."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.histograms import total_measures
from spanglass_server.query.metrics.increase import FACTS, NUMBER_COLUMNS, Measures, Pieces
from spanglass_server.query.metrics.points import Selection, Values
from spanglass_server.query.statements import statement
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.query.metrics.question import Notes

Row = dict[str, Any]

#: In which column an aggregate is; ``rate`` is computed from several.
_COUNTER_FIELD = {"increase": "increase", "sum": "increase", "avg": "avg", "min": "min", "max": "max", "count": "count"}
_TOTAL_FIELD = {"increase": "increase", "count": "increase", "sum": "sum", "avg": "avg"}
#: Aggregates of histograms and summaries that need no buckets.
OF_TOTALS = ("rate", *_TOTAL_FIELD)


def counter_rows(selection: Selection, aggregate: str, notes: Notes) -> list[Row]:
    """Aggregate increases of sums: rows with groups, ``step`` and ``value`` (None for a gap)."""
    pieces = Pieces(selection, _number(selection))
    unusable = pieces.unusable()

    def grouped(sql: Sql) -> Sql:
        return statement("metrics/counters", pieces=sql, unusable=unusable, by=selection.by, facts=FACTS)

    rows = pieces.largest(grouped, notes)
    unusable_count = sum(row["not_finite"] for row in rows)
    notes.count(unusable_count, "value is not a finite number", "values are not finite numbers")
    return _valued(selection, rows, aggregate, _COUNTER_FIELD)


def total_rows(selection: Selection, aggregate: str, notes: Notes) -> list[Row]:
    """Aggregate counts and sums of histograms and summaries, as ``counter_rows``."""

    def grouped(sql: Sql) -> Sql:
        return statement("metrics/totals", pieces=sql, by=selection.by, facts=FACTS)

    rows = Pieces(selection, total_measures(selection)).largest(grouped, notes)
    return _valued(selection, rows, aggregate, _TOTAL_FIELD)


def _number(selection: Selection) -> Measures:
    """Measures of sums; integers are also kept whole, unless they are converted to another unit."""
    whole = Sql("NULL::BIGINT" if selection.is_converted else "value_int")
    values = statement("metrics/values_number", factor=selection.factor, whole=whole)
    fell = Sql("coalesce(whole < prev_whole, value < prev_value)")
    return Measures(Values(values, NUMBER_COLUMNS), ("value", "whole"), fell)


def _valued(selection: Selection, rows: list[Row], aggregate: str, fields: dict[str, str]) -> list[Row]:
    """Read an aggregate of increases from rows."""
    if aggregate != "rate":
        return [row | {"value": row[fields[aggregate]]} for row in rows]
    rated = []
    for _, part in groupby(rows, group_key(selection)):
        rated += _rates([*part], selection.buckets.step_ns)
    return rated


def _rates(rows: Sequence[Row], step_ns: int) -> list[Row]:
    """Compute a group's rates.

    A rate is per second of the step; in the first and last step, of the part that its points reach over.
    """
    paced = [index for index, row in enumerate(rows) if row["paced"] is not None]
    rated = [row | {"value": None} for row in rows]
    for index in paced:
        row = rows[index]
        from_ns = row["from_ns"] if index == paced[0] else row["step"]
        to_ns = row["to_ns"] if index == paced[-1] else row["step"] + step_ns
        # a delta point without a start covers no time that is known
        covered_ns = to_ns - from_ns if to_ns - from_ns > 1 else step_ns
        rated[index]["value"] = row["paced"] * NS_PER_SECOND / covered_ns
    return rated


def group_key(selection: Selection) -> Callable[[Row], tuple[Any, ...]]:
    """Make what tells the groups of rows apart: their place by size, then the values of the keys."""
    names = selection.by_names
    return lambda row: (row["group_place"], *(row[name] for name in names))
