"""All metrics of a range with what a reader chooses by: services, series, freshness; and the course of some of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from spanglass_server.query.answers import Time
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.answers import MetricType
from spanglass_server.query.metrics.identity import describe_temporality
from spanglass_server.query.metrics.points import series_hash
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import Buckets, bucket_seconds
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.store.ports import QuerySession, Window

Row = dict[str, Any]
#: What a chart of a metric shows at once: its level, how fast it rises, or how what was observed is distributed.
Shape = Literal["gauge", "counter", "histogram", "native_histogram", "summary"]

_COLUMNS = (
    *("metric_name", "metric_type", "metric_unit", "temporality", "is_monotonic", "metric_description"),
    *("metric_metadata", "scope_name", "time_ns", SERVICE),
)
#: Series of Prometheus that together are one metric, and what their names add to its name.
_PARTS = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
_PART = re.compile(r"(.+)_(?:bucket|count|sum)")
#: Most metrics whose course one answer has.
MOST_COURSES = 200
_DELTA = 1


class CatalogEntry(TypedDict):
    """A metric. ``parts`` are the stored names of one that Prometheus sent as several: buckets, sum and count."""

    name: str
    type: MetricType
    shape: Shape
    unit: str
    description: str
    temporality: str | None
    is_monotonic: bool
    is_flat: bool
    parts: list[str]
    services: list[str]
    series: int
    points: int
    last_time: Time


class Catalog(TypedDict):
    """The answer of ``GET /api/v1/metrics/catalog``; ``truncated`` says that there are more."""

    metrics: list[CatalogEntry]
    truncated: bool


class Course(TypedDict):
    """A metric's course: a value a step, null where it has none."""

    name: str
    type: MetricType
    unit: str
    values: list[float | None]


class Courses(TypedDict):
    """The answer of ``GET /api/v1/metrics/courses``."""

    start: float
    step_s: float
    courses: list[Course]


def list_catalog(
    session: QuerySession, window: Window, *, text: str = "", service: str = "", limit: int = 10_000
) -> Catalog:
    """Answer ``GET /api/v1/metrics/catalog``: metrics whose name has a text in it, by name."""
    series, columns = series_hash(session, window)
    found = rows(
        session,
        statement(
            "explorer/catalog",
            relation=Sql(session.relation(Signal.METRICS, window, sorted({*_COLUMNS, *columns}))),
            service=SERVICE_NAME,
            series=series,
            wanted=service,
            text=text,
            start_ns=window.start_ns,
            end_ns=window.end_ns,
            limit=limit + 1,
        ),
    )
    entries = [_entry(parts) for parts in _families(found[:limit])]
    return {"metrics": sorted(entries, key=lambda entry: entry["name"]), "truncated": len(found) > limit}


def _families(found: Iterable[Row]) -> list[list[Row]]:
    """Put the series of one histogram or summary of Prometheus together."""
    families: dict[tuple[str, ...], list[Row]] = {}
    for row in found:
        part = _PART.fullmatch(row["name"]) if row["is_flat"] and row["told"] in _PARTS else None
        key = (part[1], row["told"]) if part else (row["name"], row["type"], row["unit"], str(row["is_flat"]))
        if row["is_flat"] and row["told"] == "summary" and not part:
            key = (row["name"], "summary")
        families.setdefault(key, []).append(row | {"family": key[0]})
    return list(families.values())


def _entry(parts: Sequence[Row]) -> CatalogEntry:
    first = parts[0]
    newest = max(parts, key=lambda row: row["last_ns"])
    return {
        "name": first["family"],
        "type": first["type"],
        "shape": _shape(first),
        "unit": first["unit"],
        "description": newest["description"],
        "temporality": _temporality(parts),
        "is_monotonic": first["is_monotonic"],
        "is_flat": first["is_flat"],
        "parts": [row["name"] for row in parts if row["name"] != row["family"]],
        "services": sorted({name for row in parts for name in row["services"]}),
        "series": sum(row["series"] for row in parts),
        "points": sum(row["points"] for row in parts),
        "last_time": format_time(newest["last_ns"]),
    }


def _shape(row: Row) -> Shape:
    """Say what kind of chart fits; a flat series of Prometheus is what its sender called it, else told by its name."""
    if row["type"] == "exponential_histogram":
        return "native_histogram"
    if row["type"] in {"histogram", "summary"}:
        return "native_histogram" if row["is_flat"] else row["type"]
    if row["is_flat"]:
        if row["told"] in _PARTS:
            return row["told"]  # type: ignore[no-any-return]
        is_counter = row["told"] == "counter" or row["is_monotonic"] or row["name"].endswith(("_total", "_bucket"))
        return "counter" if is_counter else "gauge"
    is_counter = row["type"] == "sum" and (row["is_monotonic"] or row["temporalities"] == [_DELTA])
    return "counter" if is_counter else "gauge"


def _temporality(parts: Sequence[Row]) -> str | None:
    names = {describe_temporality(value) for row in parts for value in row["temporalities"] if value is not None}
    return " and ".join(sorted(filter(None, names))) or None


def list_courses(session: QuerySession, window: Window, names: Sequence[str], buckets: int) -> Courses:
    """Answer ``GET /api/v1/metrics/courses`` for the stored names of metrics, for sparklines.

    Of what rises (counters, and the number of observations of histograms) the increase a second of all series, of other
    numbers their mean. Rough: what came before the range is not looked at (``/metrics/query`` does).
    """
    steps = Buckets.about(window, buckets)
    series, columns = series_hash(session, window)
    values = ("value_double", "value_int", "count", "flags")
    relation = session.relation(Signal.METRICS, window, sorted({*_COLUMNS, *values, *columns}))
    found = rows(
        session,
        statement(
            "explorer/courses",
            relation=Sql(relation),
            names=one_of(names or [""]),
            series=series,
            start_ns=window.start_ns,
            end_ns=window.end_ns,
            first_ns=steps.first_ns,
            step_ns=steps.step_ns,
            step_s=float(steps.step_s),
        ),
    )
    courses: dict[tuple[str, ...], Course] = {}
    for row in found:
        key = (row["name"], row["type"], row["unit"])
        empty: Course = {**dict(zip(("name", "type", "unit"), key, strict=True)), "values": [None] * steps.count}  # type: ignore[typeddict-item]
        courses.setdefault(key, empty)["values"][row["step"]] = json_value(row["value"])
    return {"start": bucket_seconds(steps.first_ns), "step_s": steps.step_s, "courses": list(courses.values())}
