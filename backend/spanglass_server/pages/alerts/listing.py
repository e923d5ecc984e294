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
#: Open alerts up to so many are put in order here, the most urgent first; more of them are listed newest first.
MOST_ORDERED = 500
#: Parameters of the URL that narrow the list.
FILTERS = ("severity", "status", "service", "host", "labels", "rule", "part_of", "text")
#: The tabs: what stands in the URL, its name, and the statuses it holds.
VIEWS = (("active", "Active", words.OPEN), ("history", "History", words.OVER))
NO_RULES: dict[str, Any] = {"rules": []}
NO_THRESHOLDS: dict[str, Any] = {"thresholds": []}
NOTHING: dict[str, Any] = {
    "alerts": [], "counts": {"status": {}, "severity": {}}, "total": 0, "next_cursor": None, "is_ordered": True,
}  # fmt: skip


async def show(visit: Visit) -> Response:
    """Render a page of the list."""
    view, _, statuses = next((one for one in VIEWS if one[0] == visit.param("view")), VIEWS[0])
    problem, found = None, NOTHING
    thresholds: dict[str, Any] = {}
    try:
        found = await _find(visit, statuses, by_priority=view == "active")
        answer = await visit.attempt(reading.ask(visit, "thresholds"), NO_THRESHOLDS)
        thresholds = {row["rule"]: row for row in answer["thresholds"]}
    except ApiError as error:
        problem = of_api(error, visit)
    by_status, is_filtered = found["counts"]["status"], any(visit.exact(name) for name in FILTERS)
    is_empty = not problem and not is_filtered and not any(by_status.values())
    rules = await visit.attempt(visit.api("rules"), NO_RULES) if is_empty else NO_RULES
    cursor = found["next_cursor"]
    return visit.page(
        "alerts/list.html", ranged=False, status=problem.status if problem else 200, problem=problem,
        alerts=[reading.alert(row, visit, reading.threshold_of(row, thresholds)) for row in found["alerts"]],
        found=found["total"], view=view,
        counts={name: sum(by_status[status] for status in held) for name, _, held in VIEWS if by_status},
        by_severity=found["counts"]["severity"], statuses=statuses, is_filtered=is_filtered, is_empty=is_empty,
        rules=[reading.rule(row, visit) for row in rules["rules"]], is_ordered=found["is_ordered"],
        next_page=visit.link(visit.path, {**dict(visit.params), "cursor": cursor}) if cursor else None,
    )  # fmt: skip


async def _find(visit: Visit, statuses: tuple[str, ...], *, by_priority: bool) -> dict[str, Any]:
    """Return a page of the API's list, newest first; the most urgent first where there are not too many for that."""
    chosen = visit.param("status")
    asked: dict[str, Any] = {name: visit.exact(name) for name in FILTERS if name != "status"}
    asked["status"] = chosen if chosen in statuses else ",".join(statuses)
    cursor = visit.param("cursor")
    at = int(cursor) if cursor.isdecimal() else 0
    if by_priority and (not cursor or cursor.isdecimal()):
        answer = await reading.ask(visit, "alerts", **asked, limit=MOST_ORDERED)
        if answer["total"] <= MOST_ORDERED:
            ordered = reading.by_priority(answer["alerts"])
            after = str(at + LIMIT) if at + LIMIT < len(ordered) else None
            return {**answer, "alerts": ordered[at : at + LIMIT], "next_cursor": after, "is_ordered": True}
        cursor = ""
    return {**await reading.ask(visit, "alerts", **asked, limit=LIMIT, cursor=cursor), "is_ordered": False}
