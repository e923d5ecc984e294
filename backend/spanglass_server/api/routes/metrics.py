"""Routes about metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from spanglass_server.api.params import CURSOR_PARAM, FILTER, ORDER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.explorer.cardinality import Cardinality, count_cardinality
from spanglass_server.query.explorer.catalog import MOST_COURSES, Catalog, Courses, list_catalog, list_courses
from spanglass_server.query.explorer.exemplars import ExemplarList, list_exemplars
from spanglass_server.query.explorer.heatmap import Heatmap, heatmap
from spanglass_server.query.metrics import answers
from spanglass_server.query.metrics.listing import list_metrics, metric_series
from spanglass_server.query.metrics.question import DEFAULT_LIMIT, Question
from spanglass_server.query.metrics.range import AGGREGATES, query_range
from spanglass_server.query.metrics.raw import export_points
from spanglass_server.query.rows.answers import MetricsDataPage
from spanglass_server.query.window import Buckets

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_TYPES = get_args(answers.MetricType)

_CHOICE = (
    Param("name", "text", help="The metric's name, old or new.", required=True),
    Param("type", "choice", help="Its type, when the name has several.", choices=_TYPES),
    Param("unit", "text", help="Its unit, when the name has several."),
)


def _list(session: QuerySession, params: Params) -> answers.MetricList:
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


def _series(session: QuerySession, params: Params) -> answers.SeriesList:
    return metric_series(session, _question(params), params["sort"], descending=params["order"] == "desc")


def _catalog(session: QuerySession, params: Params) -> Catalog:
    return list_catalog(
        session, params["window"], text=params["text"] or "", service=params["service"] or "", limit=params["limit"]
    )


def _courses(session: QuerySession, params: Params) -> Courses:
    return list_courses(session, params["window"], params["names"], params["buckets"])


def _cardinality(session: QuerySession, params: Params) -> Cardinality:
    return count_cardinality(session, params["window"], params["names"], params["filter"] or "")


def _heatmap(session: QuerySession, params: Params) -> Heatmap:
    window = params["window"]
    step_ns = Buckets.about(window, params["buckets"]).step_ns
    return heatmap(
        session,
        Question(window, params["name"], params["type"] or "", params["unit"], params["filter"] or "", step_ns=step_ns),
    )


def _exemplars(session: QuerySession, params: Params) -> ExemplarList:
    return list_exemplars(session, _question(params))


def _query(session: QuerySession, params: Params) -> answers.RangeAnswer:
    question = replace(_question(params), by=params["by"] or (), step_ns=params["step"])
    return query_range(session, question, params["aggregate"], params["q"])


def _points(session: QuerySession, params: Params) -> MetricsDataPage:
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
        response=schema_of(answers.MetricList),
        query=_list,
    ),
    Route(
        path="/metrics/series",
        summary="Label sets of one metric.",
        parameters=(
            *RANGE,
            *_CHOICE,
            FILTER,
            Param("sort", "choice", "points", "What they are sorted by.", choices=get_args(answers.SeriesOrder)),
            ORDER,
            limit_param(100, 10_000),
        ),
        response=schema_of(answers.SeriesList),
        query=_series,
    ),
    Route(
        path="/metrics/catalog",
        summary="Metrics with services, number of series, points, and when the newest was.",
        description="Histograms and summaries that Prometheus sends as several series are one metric.",
        parameters=(
            *RANGE,
            Param("text", "text", help="Only names that have this in them, in capitals or not."),
            Param("service", "text", help="Only metrics of this service."),
            limit_param(10_000, 100_000),
        ),
        response=schema_of(Catalog),
        query=_catalog,
    ),
    Route(
        path="/metrics/courses",
        summary="The course of some metrics, for sparklines.",
        description="Of what rises the increase a second of all series, of other numbers their mean.",
        parameters=(
            *RANGE,
            Param("names", "keys", help="The stored names.", maximum=MOST_COURSES, required=True),
            Param("buckets", "integer", 40, "Most values of each.", minimum=1, maximum=200),
        ),
        response=schema_of(Courses),
        query=_courses,
    ),
    Route(
        path="/metrics/cardinality",
        summary="Which attribute makes how many series, and what is new against the period before.",
        parameters=(
            *RANGE,
            Param("names", "keys", help="The stored names of a metric.", maximum=8, required=True),
            FILTER,
        ),
        response=schema_of(Cardinality),
        query=_cardinality,
    ),
    Route(
        path="/metrics/heatmap",
        summary="How what a histogram observed is distributed, over time.",
        parameters=(
            *RANGE,
            *_CHOICE,
            FILTER,
            Param("buckets", "integer", 60, "Most steps.", minimum=1, maximum=500),
        ),
        response=schema_of(Heatmap),
        query=_heatmap,
    ),
    Route(
        path="/metrics/exemplars",
        summary="Measurements of a metric that know their trace, the largest of each step.",
        parameters=(*RANGE, *_CHOICE, FILTER, limit_param(300, 10_000)),
        response=schema_of(ExemplarList),
        query=_exemplars,
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
        response=schema_of(answers.RangeAnswer),
        query=_query,
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
        response=schema_of(MetricsDataPage),
        query=_points,
    ),
)
