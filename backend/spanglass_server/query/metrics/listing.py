"""Which metrics there are, and the series of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.matching import SERVICE, SERVICE_NAME
from spanglass_server.query.metrics.aggregates import Question
from spanglass_server.query.metrics.identity import describe_temporality, resolve
from spanglass_server.query.metrics.raw import list_series
from spanglass_server.query.window import Buckets
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession, Window

_NAMES = ("metric_name", "metric_description", "metric_unit", "metric_type", "temporality", "is_monotonic", "time_ns")


def list_metrics(
    session: QuerySession, window: Window, *, prefix: str = "", service: str = "", limit: int = 10_000
) -> dict[str, Any]:
    """Answer ``GET /api/v1/metrics``: names by alphabet, each with its types, units and temporalities apart."""
    columns = [*_NAMES, SERVICE]
    rows = session.rows(
        f"""
        SELECT metric_name AS name, metric_type AS type, coalesce(metric_unit, '') AS unit,
            coalesce(arg_max(metric_description, time_ns), '') AS description, temporality, is_monotonic,
            count(*) AS points, list_sort(list(DISTINCT {SERVICE_NAME.text})) AS services
        FROM {session.relation(Signal.METRICS, window, columns)}
        WHERE time_ns >= ? AND time_ns < ? AND starts_with(metric_name, ?) AND (? = '' OR {SERVICE_NAME.text} = ?)
        GROUP BY metric_name, metric_type, coalesce(metric_unit, ''), temporality, is_monotonic
        ORDER BY name, type, unit, temporality, is_monotonic
        LIMIT ?
        """,  # noqa: S608 - the relation comes from storage, the column is ours, all values are bound
        [window.start_ns, window.end_ns, prefix, service, service, limit],
    )
    return {"metrics": [row | {"temporality": describe_temporality(row["temporality"])} for row in rows]}


def metric_series(
    session: QuerySession,
    window: Window,
    name: str,
    *,
    kind: str = "",
    unit: str | None = None,
    filter_text: str = "",
    limit: int = 100,
) -> dict[str, Any]:
    """Answer ``GET /api/v1/metrics/series``; ``BadQuestionError`` when the name is unknown or ambiguous."""
    metric = resolve(session, window, name, kind=kind, unit=unit)
    question = Question(session, window, Buckets.about(window, 1), metric, (), filter_text, limit)
    return {"name": metric.name, "type": metric.type, "unit": metric.unit, "series": list_series(question)}
