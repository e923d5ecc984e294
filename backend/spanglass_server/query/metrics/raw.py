"""A metric's series, and its points as they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.metrics.identity import Kind
from spanglass_server.query.metrics.points import SERIES_POSITIONS, Sql, attribute_columns
from spanglass_server.query.rows.attributes import StoredAttributes, plain
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.signals import OVERFLOW_COLUMNS, quote_identifier
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.query.metrics.aggregates import Question, Row

#: Most points of one raw answer; a chart of more than this shows no more.
MAX_POINTS = 50_000

_VALUES = Sql(
    "coalesce(value_double, value_int::DOUBLE) * $factor AS value, value_int, count, sum * $factor AS sum, "
    "min * $factor AS min, max * $factor AS max, quantiles, "
    "list_transform(quantile_values, lambda v: v * $factor) AS quantile_values, exemplar_time_ns, "
    "list_transform(list_zip(exemplar_value_double, exemplar_value_int), "
    "lambda v: coalesce(v[1], v[2]::DOUBLE) * $factor) AS exemplar_values, exemplar_trace_id, exemplar_span_id",
    [],
    {
        *("value_double", "value_int", "count", "sum", "min", "max", "quantiles", "quantile_values"),
        *("exemplar_time_ns", "exemplar_value_double", "exemplar_value_int", "exemplar_trace_id", "exemplar_span_id"),
    },
)


def list_series(question: Question) -> list[dict[str, Any]]:
    """List a metric's series, those with the most points first, at most ``limit``.

    Each has ``attributes``, ``resource``, ``scope``, ``points``, ``last_value`` (a histogram's or summary's sum) and
    ``last_time``.
    """
    return [series for _, series in _series(question, question.limit)]


def _series(question: Question, limit: int) -> list[tuple[int, dict[str, Any]]]:
    attributes = attribute_columns(question.session, question.window, SERIES_POSITIONS)
    labels = [*attributes, *OVERFLOW_COLUMNS, "scope_name", "scope_version"]
    carried = ", ".join(f"{quote_identifier(name)} AS {quote_identifier('label.' + name)}" for name in labels)
    value = "coalesce(value_double, value_int::DOUBLE, sum) * $factor AS value, "
    chosen = question.points(Sql(value + carried, [], {"value_double", "value_int", "sum", *labels}))
    kept = ", ".join(f"any_value({quote_identifier('label.' + name)}) AS {quote_identifier(name)}" for name in labels)
    table = question.session.execute(
        f"""
        SELECT series, count(*) AS points, arg_max(value, time_ns) AS last_value, max(time_ns) AS last_ns, {kept}
        FROM ({chosen.text}) GROUP BY series ORDER BY points DESC, last_ns DESC, series LIMIT ?
        """,  # noqa: S608 - made of quoted identifiers and SQL whose values are bound
        [*chosen.parameters, limit],
    )
    stored = StoredAttributes(table)
    return [(row["series"], _described(stored, index, row)) for index, row in enumerate(table.to_pylist())]


def _described(stored: StoredAttributes, index: int, row: Row) -> dict[str, Any]:
    return {
        "attributes": plain(stored.of_record("point", index)),
        "resource": plain(stored.of_record("resource", index)),
        "scope": {
            "name": row["scope_name"] or "",
            "version": row["scope_version"] or "",
            "attributes": plain(stored.of_record("scope", index)),
        },
        "points": row["points"],
        "last_value": json_value(row["last_value"]),
        "last_time": format_time(row["last_ns"]),
    }


def raw_series(question: Question, note: Callable[[str], None]) -> list[dict[str, Any]]:
    """Give the points of each series as they were sent, with exemplars; the series with the most points first."""
    labelled = _series(question, question.limit + 1)
    if len(labelled) > question.limit:
        note(f"only the {question.limit} series with the most points are shown; filter, or raise limit")
    points = _points(question, [series for series, _ in labelled[: question.limit]], note)
    return [
        {
            "by": dict(series["attributes"]),
            "resource": series["resource"],
            "scope": series["scope"],
            "points": points.get(number, []),
        }
        for number, series in labelled[: question.limit]
    ]


def _points(question: Question, numbers: list[int], note: Callable[[str], None]) -> dict[int, list[dict[str, Any]]]:
    names = [*attribute_columns(question.session, question.window, ["exemplar"]), *OVERFLOW_COLUMNS]
    carried = "".join(f", {quote_identifier(name)} AS {quote_identifier('label.' + name)}" for name in names)
    chosen = question.points(Sql(_VALUES.text + carried, [], {*_VALUES.columns, *names}))
    renamed = "".join(f", {quote_identifier('label.' + name)} AS {quote_identifier(name)}" for name in names)
    table = question.session.execute(
        f"""
        SELECT * {renamed} FROM ({chosen.text}) WHERE list_contains(?::UBIGINT[], series)
        ORDER BY time_ns DESC LIMIT ?
        """,  # noqa: S608 - made of quoted identifiers and SQL whose values are bound
        [*chosen.parameters, numbers, MAX_POINTS + 1],
    )
    if table.num_rows > MAX_POINTS:
        note(f"only the newest {MAX_POINTS} points are shown; ask for a shorter range or fewer series")
    table = table.slice(0, MAX_POINTS)
    stored = StoredAttributes(table)
    points: dict[int, list[dict[str, Any]]] = {}
    for index, row in reversed([*enumerate(table.to_pylist())]):
        point = _point(question, row) | {"exemplars": _exemplars(stored, index, row)}
        points.setdefault(row["series"], []).append(point)
    return points


def _point(question: Question, row: Row) -> dict[str, Any]:
    """Give one point: ``value`` of a number, and what histograms and summaries have instead."""
    point: dict[str, Any] = {"t": row["time_ns"] / NS_PER_SECOND, "time": format_time(row["time_ns"])}
    kind = question.metric.kind
    if kind in (Kind.GAUGE, Kind.COUNTER):
        point["value"] = json_value(row["value"] if row["value_int"] is None else _exact(question, row))
    else:
        mean = row["sum"] / row["count"] if row["count"] and row["sum"] is not None else None
        point |= {"value": json_value(mean), "count": row["count"], "sum": json_value(row["sum"])}
        point |= {name: json_value(row[name]) for name in ("min", "max") if row[name] is not None}
    if kind is Kind.SUMMARY:
        pairs = zip(row["quantiles"] or (), row["quantile_values"] or (), strict=True)
        point["quantiles"] = [{"q": q, "value": json_value(value)} for q, value in pairs]
    return point


def _exact(question: Question, row: Row) -> float | int:
    """Keep an integer exact unless it is converted to another unit."""
    converted = any(factor != 1 for _, factor in question.metric.stored)
    value: float | int = row["value"] if converted else row["value_int"]
    return value


def _exemplars(stored: StoredAttributes, row_index: int, row: Row) -> list[dict[str, Any]]:
    times = row["exemplar_time_ns"] or []
    nothing: list[Any] = [None] * len(times)
    values, traces, spans = (
        row[name] or nothing for name in ("exemplar_values", "exemplar_trace_id", "exemplar_span_id")
    )
    return [
        {
            "time": format_time(time_ns),
            "value": json_value(values[index]),
            "trace_id": traces[index].hex() if traces[index] else None,
            "span_id": spans[index].hex() if spans[index] else None,
            "attributes": plain(stored.of_item("exemplar", row_index, index)),
        }
        for index, time_ns in enumerate(times)
    ]
