"""``/incidents``: what goes on, what is over, and the report of how long things took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts.reading import ask, time_ns
from spanglass_server.pages.incidents import reading, words
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

LIMIT = 50
#: Incidents on the overview.
MOST_LIVE = 5
FILTERS = ("severity", "service", "rule", "text")
#: What stands in the URL, its name, and the statuses it asks for.
VIEWS = (("live", "Going on", "live"), ("over", "Over", "over"), ("report", "Report", ""))
NOTHING: dict[str, Any] = {"incidents": [], "counts": {"status": {}, "severity": {}}, "total": 0, "next_cursor": None}
#: Times of the report that a link chooses.
RANGES = (("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"))
_DAY_S = 86_400


async def show(visit: Visit) -> Response:
    """Render the list, or the report."""
    view, _, status = next((one for one in VIEWS if one[0] == visit.param("view")), VIEWS[0])
    if view == "report":
        return await _report(visit)
    asked = {name: visit.exact(name) for name in FILTERS}
    problem, found = None, NOTHING
    try:
        found = await ask(visit, "incidents", **asked, status=status, limit=LIMIT, cursor=visit.param("cursor"))
    except ApiError as error:
        problem = of_api(error, visit)
    cursor, by_status = found["next_cursor"], found["counts"]["status"]
    return visit.page(
        "incidents/list.html", ranged=False, status=problem.status if problem else 200, problem=problem, view=view,
        views=VIEWS, rows=[reading.incident(row, visit) for row in found["incidents"]], found=found["total"],
        live=sum(by_status.get(name, 0) for name in words.LIVE), over=sum(by_status.values()),
        by_severity=found["counts"]["severity"], is_filtered=any(asked.values()),
        next_page=visit.link(visit.path, {**dict(visit.params), "cursor": cursor}) if cursor else None,
    )  # fmt: skip


async def live(visit: Visit) -> Sequence[reading.Row]:
    """Return incidents that go on, for the overview; none where they can't be had: the page is about something else."""
    answer = await visit.attempt(ask(visit, "incidents", status="live", limit=MOST_LIVE), NOTHING)
    return [reading.incident(row, visit) for row in answer["incidents"]]


async def _report(visit: Visit) -> Response:
    given = visit.range_params()
    last = given.get("last", "") if given else RANGES[1][0]
    problem, report = None, None
    try:
        report = await ask(visit, "incident-report", **(given or {"last": last}))
    except ApiError as error:
        problem = of_api(error, visit)
    return visit.page(
        "incidents/report.html", ranged=False, status=problem.status if problem else 200, problem=problem, last=last,
        views=VIEWS, view="report", ranges=RANGES, report=report, words=words,
        parts=[_part(report, name, title, visit) for name, title in PARTS] if report else [],
    )  # fmt: skip


#: The two halves of the report: the key of the answer, and the heading.
PARTS = (("incidents", "Incidents"), ("alerts", "Alerts"))
#: How the sorts of groups are headed.
SORTS = {"severity": "Severity", "service": "Service", "rule": "Rule", "opened_by": "Opened by"}


def _part(report: Mapping[str, Any], name: str, title: str, visit: Visit) -> dict[str, Any]:
    """Return one half: figures, groups, and a chart of each day's, those that were late in colour."""
    part = report[name]
    days = part["days"]
    times = [time_ns(day["day"]) / SECOND_NS for day in days]
    late = charts.Series("late", "err", [float(day["late"]) for day in days])
    rest = charts.Series("others", "", [float(day["total"] - day["late"]) for day in days])
    has_any = part["all"]["total"] > 0
    chart = (
        charts.bars(f"{title} by day", charts.Buckets(times, _DAY_S), [late, rest], visit.clock) if has_any else None
    )
    groups = [(SORTS.get(sort, sort), sort, rows[:10]) for sort, rows in part["by"].items() if rows]
    return {"name": name, "title": title, "all": part["all"], "groups": groups, "chart": chart}
