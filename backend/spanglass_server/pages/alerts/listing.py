"""``/alerts``: what is wrong now by priority, and what was, with filters that the URL holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import reading, words
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api

if TYPE_CHECKING:
    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

LIMIT = 50
#: Parameters of the URL that narrow the list.
FILTERS = ("severity", "status", "service", "host", "labels", "rule", "text")
#: The tabs: what stands in the URL, its name, and the statuses it holds.
VIEWS = (("active", "Active", words.OPEN), ("history", "History", words.OVER))
NO_RULES: dict[str, Any] = {"rules": []}


async def show(visit: Visit) -> Response:
    """Render a page of the list."""
    view, _, statuses = next((one for one in VIEWS if one[0] == visit.param("view")), VIEWS[0])
    problem, found = None, {"alerts": [], "counts": {"status": {}, "severity": {}}, "total": 0, "next_cursor": None}
    try:
        found = await reading.ask(visit, "alerts", **_asked(visit, view, statuses))
    except ApiError as error:
        problem = of_api(error, visit)
    by_status = found["counts"]["status"]
    is_filtered = any(visit.exact(name) for name in FILTERS)
    is_empty = not problem and not by_status.get("all", sum(by_status.values())) and not is_filtered
    rules = await visit.attempt(visit.api("rules"), NO_RULES) if is_empty else NO_RULES
    cursor = found["next_cursor"]
    return visit.page(
        "alerts/list.html", ranged=False, status=problem.status if problem else 200, problem=problem,
        alerts=[reading.alert(row, visit) for row in found["alerts"]], found=found["total"], view=view, views=VIEWS,
        counts={name: sum(by_status.get(status, 0) for status in held) for name, _, held in VIEWS},
        by_severity=found["counts"]["severity"], statuses=statuses, is_filtered=is_filtered,
        filters=[name for name in FILTERS if visit.exact(name)], is_empty=is_empty, rules=rules["rules"],
        next_page=visit.link(visit.request.url.path, {**dict(visit.params), "cursor": cursor}) if cursor else None,
    )  # fmt: skip


def _asked(visit: Visit, view: str, statuses: tuple[str, ...]) -> dict[str, Any]:
    """Return what the URL asks of the API: without a status, all of the tab's; active ones by priority."""
    chosen = visit.param("status")
    return {
        **{name: visit.exact(name) for name in FILTERS if name != "status"},
        "status": chosen if chosen in statuses else ",".join(statuses),
        "sort": "priority" if view == "active" else "",
        "limit": LIMIT,
        "cursor": visit.param("cursor"),
    }
