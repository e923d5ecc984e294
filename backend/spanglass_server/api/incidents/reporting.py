"""The route of the report: MTTA, MTTR, recovery, and the share that was over in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from spanglass_server.api.alerting.alerts import PREFIX
from spanglass_server.api.params import RANGE, Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.incidents import report
from spanglass_server.incidents.config.model import TARGET_NS
from spanglass_server.incidents.sql_views import table_of_incidents
from spanglass_server.query.answers import Time
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from spanglass_server.api.params import Params
    from spanglass_server.incidents.desk import IncidentDesk
    from spanglass_server.incidents.report import Cases, Figures, Spread
    from spanglass_server.store.ports import QuerySession, Window


class SpreadJson(TypedDict):
    """Durations in seconds, of those that happened."""

    count: int
    mean: float
    median: float
    p90: float


class FiguresJson(TypedDict):
    """Of some alerts or incidents; ``within`` is the share that was over in time, among those that are over or late.

    ``acknowledge`` (MTTA) and ``resolve`` (MTTR) are since they were opened, ``recover`` since they began.
    """

    total: int
    open: int
    dismissed: int
    late: int
    within: float | None
    acknowledge: SpreadJson | None
    recover: SpreadJson | None
    resolve: SpreadJson | None


class Named(FiguresJson):
    """The figures of one group."""

    name: str


class Day(FiguresJson):
    """The figures of those that were opened on one day, in UTC."""

    day: Time


class Part(TypedDict):
    """Alerts or incidents: all of them, by sort and name, by day."""

    all: FiguresJson
    by: dict[str, list[Named]]
    days: list[Day]


class Report(TypedDict):
    """The answer of ``GET /api/monitoring/incident-report/``; ``target_s`` is the time in which they are to be over."""

    start: Time
    end: Time
    target_s: float
    incidents: Part
    alerts: Part


def report_route(desk: IncidentDesk, alerts: Callable[[], pa.Table]) -> Route:
    """Return the route; ``alerts`` gives ``monitoring_alerts``."""
    incidents = table_of_incidents(desk.store)

    def answer(_: QuerySession, params: Params) -> Report:
        window: Window = params["window"]
        target_ns = desk.book.settings().resolve_within_ns or TARGET_NS
        start, end, now_ns = window.start_ns, window.end_ns, params["now_ns"]

        def part(cases: Cases) -> Part:
            return _part(cases, target_ns / NS_PER_SECOND, now_ns / NS_PER_SECOND, (start, min(end, now_ns)))

        return {
            "start": format_time(start),
            "end": format_time(end),
            "target_s": target_ns / NS_PER_SECOND,
            "incidents": part(report.incident_cases(incidents(), start, end, params["service"] or "")),
            "alerts": part(report.alert_cases(alerts(), start, end, params["service"] or "")),
        }

    return Route(
        prefix=PREFIX,
        path="/incident-report/",
        summary="How long alerts and incidents took: MTTA, MTTR, recovery, and the share that was over in time.",
        description="Of those opened in the range. In time is incidents.resolve_within, 15 min unless set.",
        parameters=(*RANGE, Param("service", "text", help="Only alerts of this service, and incidents that it is in.")),
        response=schema_of(Report),
        query=answer,
    )


def _part(cases: Cases, target_s: float, now_s: float, window: tuple[int, int]) -> Part:
    start_s, end_s = window[0] / NS_PER_SECOND, window[1] / NS_PER_SECOND
    by = report.grouped(cases, target_s, now_s)
    daily = report.days(cases, target_s, now_s, start_s, end_s)
    return {
        "all": _figures(report.figures(cases, target_s, now_s)),
        "by": {sort: [{"name": name, **_figures(each)} for name, each in found.items()] for sort, found in by.items()},
        "days": [{"day": format_time(round(day) * NS_PER_SECOND), **_figures(each)} for day, each in daily],
    }


def _figures(found: Figures) -> FiguresJson:
    return {
        "total": found.total,
        "open": found.open,
        "dismissed": found.dismissed,
        "late": found.late,
        "within": found.within,
        "acknowledge": _spread(found.acknowledge),
        "recover": _spread(found.recover),
        "resolve": _spread(found.resolve),
    }


def _spread(found: Spread | None) -> SpreadJson | None:
    if found is None:
        return None
    return {"count": found.count, "mean": found.mean, "median": found.median, "p90": found.p90}
