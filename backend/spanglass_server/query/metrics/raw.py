"""A metric's series, and its points as they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.identity import Kind
from spanglass_server.query.metrics.points import SERIES_POSITIONS, Selection, Values
from spanglass_server.query.record_pages import ORDERS, Place, find_page
from spanglass_server.query.records import match_records
from spanglass_server.query.rows.attributes import StoredAttributes, plain
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.rows.otlp_metrics import metrics_data
from spanglass_server.query.statements import run, statement
from spanglass_server.signals import OVERFLOW_COLUMNS, Signal, quote_identifier
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.query.metrics.answers import Exemplar, LabelSet, Point, PointSeries, SeriesOrder, SeriesPage
    from spanglass_server.query.rows.answers import MetricsDataPage
    from spanglass_server.store.ports import QuerySession, Window

Row = dict[str, Any]

#: What a list of series can be sorted by; equal ones by the most points.
_MOST_POINTS = "points DESC, last_ns DESC, series"
_ORDERS = {"points": "points", "value": "last_value", "time": "last_ns"}

#: Most points of one raw answer; a chart of more than this shows no more.
MAX_POINTS = 50_000

_COLUMNS = frozenset(
    {
        *("value_double", "value_int", "count", "sum", "min", "max", "quantiles", "quantile_values"),
        *("exemplar_time_ns", "exemplar_value_double", "exemplar_value_int", "exemplar_trace_id", "exemplar_span_id"),
    }
)


def list_series(selection: Selection, sort: SeriesOrder = "points", *, descending: bool = True) -> SeriesPage:
    """List a metric's series in an order, at most ``limit``, and say how many there are."""
    way = "DESC" if descending else "ASC"
    order = Sql(f"{_ORDERS[sort]} {way} NULLS LAST, {_MOST_POINTS}")
    found, total = _series(selection, selection.question.limit, order)
    return {"series": [series for _, series in found], "total": total}


def _labelled(names: Sequence[str]) -> Sql:
    """Select columns under names that no other column of a point has."""
    return Sql("".join(f", {quote_identifier(name)} AS {quote_identifier('label.' + name)}" for name in names))


def _series(
    selection: Selection,
    limit: int,
    order: Sql = Sql(_MOST_POINTS),  # noqa: B008 - it never changes
) -> tuple[list[tuple[int, LabelSet]], int]:
    attributes = selection.attributes(selection.window, SERIES_POSITIONS)
    labels = [*attributes, *OVERFLOW_COLUMNS, "scope_name", "scope_version"]
    value, carried = statement("metrics/values_last", factor=selection.factor), _labelled(labels)
    columns = frozenset({"value_double", "value_int", "sum", *labels})
    values = Values(Sql(value.text + carried.text, value.parameters), columns)
    kept = ", ".join(f"any_value({quote_identifier('label.' + name)}) AS {quote_identifier(name)}" for name in labels)
    points = selection.points(values, selection.window)
    table = run(
        selection.session, statement("metrics/series", labels=Sql(kept), points=points, order=order, limit=limit)
    )
    stored, found = StoredAttributes(table), table.to_pylist()
    described = [(row["series"], _described(stored, index, row)) for index, row in enumerate(found)]
    return described, found[0]["total"] if found else 0


def _described(stored: StoredAttributes, index: int, row: Row) -> LabelSet:
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


def raw_series(selection: Selection, note: Callable[[str], None]) -> list[PointSeries]:
    """Return the points of each series as they were sent, with exemplars; the series with the most points first."""
    limit = selection.question.limit
    labelled, _ = _series(selection, limit + 1)
    if len(labelled) > limit:
        note(f"only the {limit} series with the most points are shown; filter, or raise limit")
    points = _points(selection, [series for series, _ in labelled[:limit]], note)
    return [
        {
            "by": dict(series["attributes"]),
            "resource": series["resource"],
            "scope": series["scope"],
            "points": points.get(number, []),
        }
        for number, series in labelled[:limit]
    ]


def _points(selection: Selection, series: list[int], note: Callable[[str], None]) -> dict[int, list[Point]]:
    names = [*selection.attributes(selection.window, ["exemplar"]), *OVERFLOW_COLUMNS]
    value, carried = statement("metrics/values_raw", factor=selection.factor), _labelled(names)
    values = Values(Sql(value.text + carried.text, value.parameters), _COLUMNS.union(names))
    renamed = "".join(f", {quote_identifier('label.' + name)} AS {quote_identifier(name)}" for name in names)
    points = selection.points(values, selection.window)
    sql = statement("metrics/raw", labels=Sql(renamed), points=points, series=series, limit=MAX_POINTS + 1)
    table = run(selection.session, sql)
    if table.num_rows > MAX_POINTS:
        note(f"only the newest {MAX_POINTS} points are shown; ask for a shorter range or fewer series")
    table = table.slice(0, MAX_POINTS)
    stored = StoredAttributes(table)
    found: dict[int, list[Point]] = {}
    for index, row in reversed([*enumerate(table.to_pylist())]):
        point = _point(selection, row)
        point["exemplars"] = _exemplars(stored, index, row)
        found.setdefault(row["series"], []).append(point)
    return found


def _point(selection: Selection, row: Row) -> Point:
    """Return one point: ``value`` of a number, and what histograms and summaries have instead."""
    point: dict[str, Any] = {"t": row["time_ns"] / NS_PER_SECOND, "time": format_time(row["time_ns"])}
    kind = selection.metric.kind
    if kind in (Kind.GAUGE, Kind.COUNTER):
        point["value"] = json_value(row["value"] if row["value_int"] is None else _exact(selection, row))
    else:
        mean = row["sum"] / row["count"] if row["count"] and row["sum"] is not None else None
        point |= {"value": json_value(mean), "count": row["count"], "sum": json_value(row["sum"])}
        point |= {name: json_value(row[name]) for name in ("min", "max") if row[name] is not None}
    if kind is Kind.SUMMARY:
        pairs = zip(row["quantiles"] or (), row["quantile_values"] or (), strict=True)
        point["quantiles"] = [{"q": q, "value": json_value(value)} for q, value in pairs]
    return cast("Point", point)


def _exact(selection: Selection, row: Row) -> float | int:
    """Keep an integer exact unless it is converted to another unit."""
    value: float | int = row["value"] if selection.is_converted else row["value_int"]
    return value


def _exemplars(stored: StoredAttributes, row_index: int, row: Row) -> list[Exemplar]:
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


def export_points(
    session: QuerySession,
    window: Window,
    *,
    name: str = "",
    filter_text: str = "",
    limit: int = 1000,
    descending: bool = True,
    cursor: str | None = None,
) -> MetricsDataPage:
    """Answer ``GET /api/v1/metrics/points``: ``MetricsData`` and the next page's cursor.

    ``name`` is the stored one: what was sent under an old name comes out under it.
    """
    records = match_records(session, Signal.METRICS, window, filter_text)
    if name:
        records = records.restricted(Sql("metric_name = ?", (name,)), "metric_name")
    start = Place.decode(cursor, ORDERS[descending])
    page = find_page(session, records, start, limit, descending=descending)
    return {**metrics_data(page.table), "next_cursor": page.next_cursor(descending=descending)}
