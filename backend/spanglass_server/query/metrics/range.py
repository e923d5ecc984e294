"""Range queries over metrics: one value for each group and step (docs/metrics.md)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.metrics.aggregates import (
    Question,
    Row,
    counter_rows,
    gauge_rows,
    total_rows,
)
from spanglass_server.query.metrics.buckets import Exponential, merge_explicit, quantile
from spanglass_server.query.metrics.histograms import explicit_rows, exponential_rows
from spanglass_server.query.metrics.identity import Kind, resolve
from spanglass_server.query.metrics.raw import raw_series
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.window import Buckets, bucket_seconds
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.store.ports import QuerySession, Window

#: How many steps a range has when none is asked for, and how many it may have at most.
DEFAULT_STEPS = 120
MAX_STEPS = 11_000
DEFAULT_LIMIT = 100

AGGREGATES = ("raw", "rate", "increase", "avg", "sum", "min", "max", "count", "quantile")

_COUNTED = ("rate", "increase", "avg", "sum", "min", "max", "count")
#: What can be asked of each kind, besides its points as they are.
ALLOWED = {
    Kind.GAUGE: ("avg", "sum", "min", "max", "count", "quantile"),
    Kind.COUNTER: _COUNTED,
    Kind.HISTOGRAM: (*_COUNTED, "quantile"),
    Kind.EXPONENTIAL: (*_COUNTED, "quantile"),
    Kind.SUMMARY: (),
}
#: Where an aggregate of increases stands in the rows; ``rate`` is computed from two of them.
_COUNTER_FIELD = {name: name for name in _COUNTED} | {"sum": "increase"}
_TOTAL_FIELD = {"increase": "increase", "count": "increase", "sum": "sum", "avg": "avg"}


def query_range(
    session: QuerySession,
    window: Window,
    name: str,
    aggregate: str,
    *,
    kind: str = "",
    unit: str | None = None,
    q: float | None = None,
    step_ns: int | None = None,
    by: Sequence[str] = (),
    filter_text: str = "",
    limit: int = DEFAULT_LIMIT,
) -> dict[str, Any]:
    """Answer ``GET /api/v1/metrics/query``; ``BadQuestionError`` names the parameter that does not fit the metric."""
    metric = resolve(session, window, name, kind=kind, unit=unit)
    _check(metric.kind, metric.name, aggregate, q)
    buckets = _buckets(window, step_ns)
    question = Question(session, window, buckets, metric, tuple(by), filter_text, limit)
    notes = _Notes()
    if aggregate == "raw":
        series = raw_series(question, notes.add)
    else:
        series = _series(question, _rows(question, aggregate, q, notes), notes)
    return {
        "name": metric.name,
        "type": metric.type,
        "unit": metric.unit,
        "aggregate": aggregate,
        "step_s": buckets.step_s,
        "series": series,
        "notes": notes.texts,
    }


class _Notes:
    """What an answer's reader should know about it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        if text not in self.texts:
            self.texts.append(text)

    def count(self, number: int, one: str, many: str) -> None:
        if number:
            self.add(f"1 {one}" if number == 1 else f"{number} {many}")


def _check(kind: Kind, name: str, aggregate: str, q: float | None) -> None:
    """Refuse an aggregate that has no meaning for the kind of metric."""
    if aggregate == "raw":
        return
    if aggregate not in ALLOWED[kind]:
        there = ", ".join(("raw", *ALLOWED[kind]))
        why = {
            Kind.GAUGE: "its values may fall as well as rise",
            Kind.COUNTER: "it has no distribution",
            Kind.SUMMARY: "its quantiles were computed by the sender and cannot be merged",
        }.get(kind, "")
        raise BadQuestionError(
            f"The metric {name!r} ({kind.replace('_', ' ')}) has no {aggregate}: {why}.",
            field="aggregate",
            hint=f"Ask for one of: {there}.",
        )
    if aggregate == "quantile" and q is None:
        raise BadQuestionError("A quantile needs q, 0 to 1.", field="q", hint="For the 95th percentile give q=0.95.")
    if q is not None and not 0 <= q <= 1:
        raise BadQuestionError(f"q is {q}; give 0 to 1.", field="q", hint="For the 95th percentile give q=0.95.")


def _buckets(window: Window, step_ns: int | None) -> Buckets:
    if step_ns is None:
        return Buckets.about(window, DEFAULT_STEPS)
    if step_ns <= 0 or (window.end_ns - window.start_ns) // step_ns > MAX_STEPS:
        least = -(-(window.end_ns - window.start_ns) // MAX_STEPS) / NS_PER_SECOND
        raise BadQuestionError(
            f"The step makes more than {MAX_STEPS} steps.",
            field="step",
            hint=f"Give at least {least:g}s for this range.",
        )
    return Buckets.of_step(window, step_ns)


def _rows(question: Question, aggregate: str, q: float | None, notes: _Notes) -> list[Row]:
    """Ask for one aggregate: rows with groups, ``step`` and ``value`` (None for a gap)."""
    kind = question.metric.kind
    if kind is Kind.GAUGE:
        rows = gauge_rows(question, q)
        notes.count(
            sum(row["not_finite"] for row in rows), "value is not a finite number", "values are not finite numbers"
        )
        return [row | {"value": row[aggregate]} for row in rows]
    if kind is Kind.COUNTER:
        rows = _counted(question, counter_rows(question), aggregate, _COUNTER_FIELD)
    elif aggregate in _TOTAL_FIELD or aggregate == "rate":
        rows = _counted(question, total_rows(question), aggregate, _TOTAL_FIELD)
    else:
        wanted = {"min": 0.0, "max": 1.0}.get(aggregate, q)
        assert wanted is not None  # noqa: S101 - _check requires q for a quantile
        merged = (
            _explicit(question, aggregate, wanted, notes)
            if kind is Kind.HISTOGRAM
            else _exponential(question, aggregate, wanted)
        )
        rows = list(merged)
        if aggregate in ("min", "max") and question.metric.has_cumulative:
            notes.add(f"the {aggregate} of cumulative histograms is estimated from their buckets")
    notes.count(sum(row["resets"] for row in rows), "reset", "resets")
    notes.count(
        sum(row["overlapping"] for row in rows),
        "overlapping delta point was left out",
        "overlapping delta points were left out",
    )
    return rows


def _counted(question: Question, rows: Sequence[Row], aggregate: str, fields: Mapping[str, str]) -> list[Row]:
    """Read an aggregate of increases from rows.

    A rate is per second of the step; in a group's first and last step, of the part that its points reach over.
    """
    if aggregate != "rate":
        return [row | {"value": row[fields[aggregate]]} for row in rows]
    rated = []
    for _, part in groupby((row for row in rows if row["paced"] is not None), _key(question)):
        steps = [*part]
        for index, row in enumerate(steps):
            from_ns = row["from_ns"] if index == 0 else row["step"]
            to_ns = row["to_ns"] if index == len(steps) - 1 else row["step"] + question.buckets.step_ns
            # a delta point without a start covers no time that is known
            covered_ns = to_ns - from_ns if to_ns - from_ns > 1 else question.buckets.step_ns
            rated.append(row | {"value": row["paced"] * NS_PER_SECOND / covered_ns})
    return rated


def _explicit(question: Question, aggregate: str, q: float, notes: _Notes) -> Sequence[Row]:
    """Compute quantiles (0 and 1 for min and max) of explicit histograms."""
    rows = []
    for part in _by_step(question, explicit_rows(question)):
        if len({tuple(row["bounds"] or ()) for row in part if row["counts"]}) > 1:
            notes.add("bucket bounds differ between series; observations are spread evenly inside a bucket")
        buckets = merge_explicit([(row["bounds"] or (), row["counts"]) for row in part if row["counts"]])
        rows.append(_with_value(part, quantile(buckets, q), aggregate, sum))
    return rows


def _exponential(question: Question, aggregate: str, q: float) -> Sequence[Row]:
    """Compute quantiles (0 and 1 for min and max) of exponential histograms."""
    rows = []
    for part in _by_step(question, exponential_rows(question)):
        filled = [row for row in part if row["side"] is not None]
        if not filled:
            rows.append(_with_value(part, None, aggregate, max))
            continue
        merged = Exponential(filled[0]["scale"], filled[0]["threshold"])
        for row in filled:
            if row["side"] == 0:
                merged.zero_count += row["observed"]
            else:
                (merged.positive if row["side"] > 0 else merged.negative)[row["place"]] = row["observed"]
        rows.append(_with_value(part, quantile(merged.buckets(), q), aggregate, max))
    return rows


def _with_value(part: list[Row], value: float | None, aggregate: str, counts: Callable[[list[int]], int]) -> Row:
    """Make the one row of a group and step; deltas know their least and greatest value exactly.

    ``counts`` puts the rows' numbers of resets together: explicit histograms have theirs by bounds, exponential ones
    repeat theirs in every row.
    """
    exact = {"min": [row["low"] for row in part], "max": [row["high"] for row in part]}.get(aggregate, [])
    known = [each for each in exact if each is not None]
    if known and value is not None:
        value = min(known) if aggregate == "min" else max(known)
    facts = {name: counts([row[name] for row in part]) for name in ("resets", "overlapping")}
    return part[0] | facts | {"value": value}


def _key(question: Question) -> Callable[[Row], tuple[Any, ...]]:
    names = [f"by_{index}" for index, _ in enumerate(question.by)]
    return lambda row: (row["group_place"], *(row[name] for name in names))


def _by_step(question: Question, rows: list[Row]) -> list[list[Row]]:
    key = _key(question)
    return [list(part) for _, part in groupby(rows, lambda row: (key(row), row["step"]))]


def _series(question: Question, rows: Sequence[Row], notes: _Notes) -> list[dict[str, Any]]:
    """Put rows together to series; a step without a value is a missing point."""
    series = []
    for key, part in groupby(rows, _key(question)):
        if key[0] > question.limit:
            notes.add(
                f"only the {question.limit} largest groups are shown; group by fewer keys, filter, or raise limit"
            )
            break
        points = [
            {"t": bucket_seconds(row["step"]), "value": json_value(row["value"])}
            for row in part
            if row["value"] is not None
        ]
        if points:
            series.append({"by": dict(zip(question.by, map(json_value, key[1:]), strict=True)), "points": points})
    return series
