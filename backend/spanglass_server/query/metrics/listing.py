"""Which metrics there are, and the series of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.identity import describe_temporality
from spanglass_server.query.metrics.points import Selection
from spanglass_server.query.metrics.raw import list_series
from spanglass_server.query.statements import rows, statement
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.query.metrics.answers import ListedMetric, MetricList, SeriesList, SeriesOrder
    from spanglass_server.query.metrics.question import Question
    from spanglass_server.store.ports import QuerySession, Window

_NAMES = ("metric_name", "metric_description", "metric_unit", "metric_type", "temporality", "is_monotonic", "time_ns")


def list_metrics(
    session: QuerySession, window: Window, *, prefix: str = "", service: str = "", limit: int = 10_000
) -> MetricList:
    """Answer ``GET /api/v1/metrics``: names by alphabet, each with its types, units and temporalities apart."""
    listed = statement(
        "metrics/names",
        relation=Sql(session.relation(Signal.METRICS, window, [*_NAMES, SERVICE])),
        service=SERVICE_NAME,
        wanted=service,
        prefix=prefix,
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        limit=limit,
    )
    metrics = [row | {"temporality": describe_temporality(row["temporality"])} for row in rows(session, listed)]
    return {"metrics": cast("list[ListedMetric]", metrics)}


def metric_series(
    session: QuerySession, question: Question, sort: SeriesOrder = "points", *, descending: bool = True
) -> SeriesList:
    """Answer ``GET /api/v1/metrics/series``; ``BadQuestionError`` when the name is unknown or ambiguous."""
    selection = Selection.of(session, question)
    metric = selection.metric
    page = list_series(selection, sort, descending=descending)
    return {"name": metric.name, "type": metric.type, "unit": metric.unit, **page}
