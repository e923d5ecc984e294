"""Routes about metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.api.params import CURSOR_PARAM, FILTER, ORDER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import (
    ANYTHING,
    ATTRIBUTES,
    BOOLEAN,
    CURSOR,
    HEX_ID,
    INTEGER,
    NUMBER,
    STRING,
    TIME,
    UNIX_SECONDS,
    array,
    choice,
    nullable,
    otlp,
    record,
)
from spanglass_server.query.metrics.listing import list_metrics, metric_series
from spanglass_server.query.metrics.question import DEFAULT_LIMIT, Question
from spanglass_server.query.metrics.range import AGGREGATES, query_range
from spanglass_server.query.metrics.raw import export_points

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_TYPES = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_TYPE = choice(*_TYPES)
_SCOPE = record(name=STRING, version=STRING, attributes=ATTRIBUTES)
_VALUE = {**ANYTHING, "description": "a number; an integer past 2^53 as text; null where there is none"}
_METRIC = record(
    name=STRING,
    type=_TYPE,
    unit=STRING,
    description=STRING,
    temporality={"type": ["string", "null"], "enum": ["delta", "cumulative", None]},
    is_monotonic=nullable(BOOLEAN),
    points=INTEGER,
    services=array(STRING),
)
_SERIES = record(
    attributes=ATTRIBUTES, resource=ATTRIBUTES, scope=_SCOPE, points=INTEGER, last_value=_VALUE, last_time=TIME
)
_EXEMPLAR = record(time=TIME, value=_VALUE, trace_id=nullable(HEX_ID), span_id=nullable(HEX_ID), attributes=ATTRIBUTES)
_RAW_ONLY = {
    "time": TIME,
    "count": INTEGER,
    "sum": _VALUE,
    "min": _VALUE,
    "max": _VALUE,
    "quantiles": array(record(q=NUMBER, value=_VALUE)),
    "exemplars": array(_EXEMPLAR),
}
_POINT = {
    "type": "object",
    "properties": {"t": UNIX_SECONDS, "value": _VALUE, **_RAW_ONLY},
    "required": ["t", "value"],
    "additionalProperties": False,
}
_GROUP = {
    "type": "object",
    "properties": {"by": ATTRIBUTES, "points": array(_POINT), "resource": ATTRIBUTES, "scope": _SCOPE},
    "required": ["by", "points"],
    "additionalProperties": False,
}

_CHOICE = (
    Param("name", "text", help="The metric's name, old or new.", required=True),
    Param("type", "choice", help="Its type, when the name has several.", choices=_TYPES),
    Param("unit", "text", help="Its unit, when the name has several."),
)


def _list(session: QuerySession, params: Params) -> dict[str, Any]:
    return list_metrics(
        session,
        params["window"],
        prefix=params["prefix"] or "",
        service=params["service"] or "",
        limit=params["limit"],
    )


def _question(params: Params) -> Question:
    return Question(
        params["window"],
        params["name"],
        type=params["type"] or "",
        unit=params["unit"],
        filter=params["filter"] or "",
        limit=params["limit"],
    )


def _series(session: QuerySession, params: Params) -> dict[str, Any]:
    return metric_series(session, _question(params))


def _query(session: QuerySession, params: Params) -> dict[str, Any]:
    question = replace(_question(params), by=params["by"] or (), step_ns=params["step"])
    return query_range(session, question, params["aggregate"], params["q"])


def _points(session: QuerySession, params: Params) -> dict[str, Any]:
    return export_points(
        session,
        params["window"],
        name=params["name"] or "",
        filter_text=params["filter"] or "",
        limit=params["limit"],
        descending=params["order"] == "desc",
        cursor=params["cursor"],
    )


ROUTES = (
    Route(
        path="/metrics",
        summary="Metric names with type, unit, description.",
        parameters=(
            *RANGE,
            Param("prefix", "text", help="Only names that begin with this."),
            Param("service", "text", help="Only metrics of this service."),
            limit_param(10_000, 100_000),
        ),
        response=record(metrics=array(_METRIC)),
        ask=_list,
    ),
    Route(
        path="/metrics/series",
        summary="Label sets of one metric.",
        parameters=(*RANGE, *_CHOICE, FILTER, limit_param(100, 10_000)),
        response=record(name=STRING, type=_TYPE, unit=STRING, series=array(_SERIES)),
        ask=_series,
    ),
    Route(
        path="/metrics/query",
        summary="Range query: raw, rate, increase, avg, sum, min, max, count, quantile.",
        description="docs/metrics.md says how each is computed for each type of metric.",
        parameters=(
            *RANGE,
            *_CHOICE,
            Param("aggregate", "choice", "raw", "What to compute.", choices=AGGREGATES),
            Param("q", "number", help="The quantile, 0 to 1.", minimum=0, maximum=1),
            Param("step", "duration", help="Width of a step, like 30s; the range over 120 unless said."),
            Param("by", "keys", help="Group by these keys.", maximum=8),
            FILTER,
            limit_param(DEFAULT_LIMIT, 10_000),
        ),
        response=record(
            name=STRING,
            type=_TYPE,
            unit=STRING,
            aggregate=choice(*AGGREGATES),
            step_s=NUMBER,
            series=array(_GROUP),
            notes=array(STRING),
        ),
        ask=_query,
    ),
    Route(
        path="/metrics/points",
        summary="Data points as they were sent, as OTLP/JSON.",
        parameters=(
            *RANGE,
            Param("name", "text", help="Only points of the metric that is stored under this name."),
            FILTER,
            limit_param(1000, 10_000),
            CURSOR_PARAM,
            ORDER,
            Param("format", "choice", "otlp", "MetricsData of OTLP/JSON.", choices=("otlp",)),
        ),
        response=otlp("resourceMetrics", next_cursor=CURSOR),
        ask=_points,
    ),
)
