"""Histograms: what their points are subtracted by, and their buckets merged for each group and step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.metrics.identity import CUMULATIVE, Kind
from spanglass_server.query.metrics.increase import FACTS, Measures, Pieces
from spanglass_server.query.metrics.points import Selection, Values
from spanglass_server.query.statements import statement

if TYPE_CHECKING:
    from spanglass_server.query.metrics.question import Notes

Row = dict[str, Any]

_EXPONENTIAL = ("scale", "zeros", "threshold")
_SIDES = ("positive", "negative")
_TOTAL_COLUMNS = frozenset({"count", "sum"})
_EXTREME_COLUMNS = frozenset({"min", "max"})
_EXPONENTIAL_COLUMNS = frozenset(
    {"scale", "zero_count", "zero_threshold", *(f"{side}_{part}" for side in _SIDES for part in ("offset", "counts"))}
)
_COUNT_FELL = Sql("n < prev_n")


def total_measures(selection: Selection) -> Measures:
    """Measures for counts (``n``) and sums (``total``); buckets too, where a fallen one shows a reset."""
    total, names = statement("metrics/values_totals", factor=selection.factor), ("n", "total")
    if CUMULATIVE not in selection.metric.temporalities:
        return Measures(Values(total, _TOTAL_COLUMNS), names, _COUNT_FELL)
    if selection.metric.kind is Kind.HISTOGRAM:
        values = Values(_joined(total, Sql("bucket_counts AS counts")), _TOTAL_COLUMNS | {"bucket_counts"})
        fell = statement("metrics/explicit_fell", is_same=Sql("len(counts) = len(prev_counts)"))
        return Measures(values, (*names, "counts"), fell, spent=("counts", "prev_counts"))
    counts = [f"{side}_counts" for side in _SIDES]
    levelled = [f"{side}_{part}" for side in _SIDES for part in ("now", "then", "before")]
    measures = _exponential(selection, total, _TOTAL_COLUMNS, names)
    return replace(measures, comparable=TRUE, spent=[*counts, *(f"prev_{name}" for name in counts), *levelled])


def explicit_rows(selection: Selection, notes: Notes) -> list[Row]:
    """Merge explicit histograms with equal bounds.

    Rows: groups, ``step``, ``bounds``, ``counts``, what was observed (``sql/metrics/observed.sql``), ``resets``,
    ``overlapping``, ``incomparable``.
    """
    buckets = Sql("bucket_counts AS counts, hash(len(explicit_bounds), explicit_bounds) AS bounds_hash")
    values = _joined(_count_and_extremes(selection), buckets, _bounds(selection))
    is_same = Sql("bounds_hash IS NOT DISTINCT FROM prev_bounds_hash")
    measures = Measures(
        Values(values, _EXTREME_COLUMNS | {"count", "bucket_counts", "explicit_bounds"}),
        ("n", "counts", "bounds_hash"),
        fell=statement("metrics/explicit_fell", is_same=is_same),
        comparable=is_same,
    )
    pieces = Pieces(selection, measures)
    return pieces.largest(lambda sql: _grouped("metrics/explicit", selection, sql), notes)


def exponential_rows(selection: Selection, notes: Notes) -> list[Row]:
    """Merge exponential histograms at the smallest scale of each group and step.

    Rows: groups, ``step``, ``scale``, ``threshold``, ``side`` (1 positive, 0 zero, -1 negative), ``place`` (the
    bucket's index), ``observed``, ``total`` (observed in all buckets), the rest as ``explicit_rows``.
    """
    values = _count_and_extremes(selection)
    pieces = Pieces(selection, _exponential(selection, values, _EXTREME_COLUMNS | {"count"}, ("n",)))
    same = Sql(" AND ".join(f"counted.{name} IS NOT DISTINCT FROM facts.{name}" for name in _keys(selection)))
    merged_by = Sql("".join(f"counted.{name}, " for name in selection.by_names))
    return pieces.largest(
        lambda sql: _grouped("metrics/exponential", selection, sql, counted_same=same, merged_by=merged_by), notes
    )


def _grouped(name: str, selection: Selection, pieces: Sql, **parts: Sql) -> Sql:
    same = " AND ".join(f"facts.{key} IS NOT DISTINCT FROM merged.{key}" for key in _keys(selection))
    return statement(
        name,
        pieces=pieces,
        by=selection.by,
        facts=FACTS,
        observed=statement("metrics/observed"),
        same=Sql(same),
        **parts,
    )


def _keys(selection: Selection) -> list[str]:
    return ["step", *selection.by_names]


def _count_and_extremes(selection: Selection) -> Sql:
    extremes = statement("metrics/values_extremes", factor=selection.factor)
    return _joined(Sql("count AS n, true AS is_usable"), extremes)


def _bounds(selection: Selection) -> Sql:
    """Select the bounds in the asked unit."""
    if not selection.is_converted:
        return Sql("explicit_bounds AS bounds")
    factor = selection.factor
    return Sql(f"list_transform(explicit_bounds, lambda bound: bound * {factor.text}) AS bounds", factor.parameters)


def _joined(*lists: Sql) -> Sql:
    return Sql(", ".join(part.text for part in lists), tuple(value for part in lists for value in part.parameters))


def _exponential(selection: Selection, values: Sql, columns: frozenset[str], names: tuple[str, ...]) -> Measures:
    """Measures of exponential histograms: their buckets besides ``names``, levelled with those before."""
    moved = Sql("0")
    if selection.is_converted:
        factor = selection.factor
        moved = Sql(f"round(log2({factor.text}) * 2.0 ** scale)::BIGINT", factor.parameters)
    own = statement("metrics/values_exponential", factor=selection.factor, moved=moved)
    sides = (f"{side}_{part}" for side in _SIDES for part in ("offset", "counts"))
    return Measures(
        Values(_joined(values, own), columns | _EXPONENTIAL_COLUMNS),
        (*names, *_EXPONENTIAL, *sides),
        fell=statement("metrics/exponential_fell"),
        comparable=Sql("threshold IS NOT DISTINCT FROM prev_threshold"),
        prepared=_levelled,
    )


def _levelled(runs: Sql) -> Sql:
    """Bring each histogram and the one before it to one scale, and the earlier one's buckets to the later's places."""
    parts = {}
    for side in _SIDES:
        parts[f"{side}_now"] = _coarse(f"{side}_counts", f"{side}_offset", "scale")
        parts[f"{side}_then"] = _coarse(f"prev_{side}_counts", f"prev_{side}_offset", "prev_scale")
        parts[f"{side}_aligned"] = statement(
            "metrics/aligned",
            counts=Sql(f"{side}_then"),
            place=Sql(f"{side}_then_place"),
            own_counts=Sql(f"{side}_now"),
            own_place=Sql(f"{side}_place"),
        )
    return statement("metrics/levelled", runs=runs, **parts)


def _coarse(counts: str, place: str, scale: str) -> Sql:
    return statement("metrics/coarse", counts=Sql(counts), place=Sql(place), scale=Sql(scale))
