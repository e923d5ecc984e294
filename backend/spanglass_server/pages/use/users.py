"""``/users``: who is active, over time, and what they use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.explorer import search
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.use import links

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_STEPS: Final = 60
_MOST_USERS: Final = 30
_MOST: Final = 12
SORTS: Final = ("last", "sessions", "requests", "errors", "events")
_NO_DAYS: Final[dict[str, Any]] = {"day": None, "week": None, "month": None, "since": None, "users_share": None}
_MONTH_NS: Final = 30 * 86_400 * 10**9


async def show(visit: Visit) -> Response:
    """Render the page."""
    box, told, problem = await search.answered(visit, "spans", _read)
    return visit.page(
        "use/users.html", status=problem.status if problem else 200, box=box, problem=problem, told=told,
        sort=_sort(visit),
    )  # fmt: skip


def _sort(visit: Visit) -> str:
    return visit.param("sort") if visit.param("sort") in SORTS else SORTS[0]


async def _read(visit: Visit) -> dict[str, Any]:
    asked = {**visit.window.as_params(), "filter": visit.param("filter")}
    days = visit.attempt(visit.api("users", "active", **asked), _NO_DAYS)
    shown: dict[str, str | int] = {
        "buckets": _STEPS,
        "text": visit.param("text"),
        "sort": _sort(visit),
        "limit": _MOST_USERS,
    }
    overview, active, features, paths = await visit.together(
        visit.api("users", "overview", **asked, **shown, sessions=_MOST),
        days,
        visit.api("users", "features", **asked, limit=_MOST),
        visit.api("users", "paths", **asked, limit=_MOST),
    )
    summary, users, sessions = (overview[name] for name in ("summary", "users", "sessions"))
    return {
        "summary": summary,
        "active": active,
        "since_ns": _since(visit, active),
        "chart": _chart(visit, summary),
        "users": [{**user, "href": links.to_user(visit, user["user"])} for user in users["users"]],
        "total": users["total"],
        "sessions": [with_session(visit, session) for session in sessions["sessions"]],
        "features": [{**each, "href": links.of_event(visit, each["name"])} for each in features["features"]],
        "paths": [{**each, "href": links.of_path(visit, each)} for each in paths["paths"]],
    }


def with_session(visit: Visit, session: Mapping[str, Any]) -> dict[str, Any]:
    """Return a session with where it leads: one without an id to its user at that time."""
    if session["session"]:
        href = links.to_session(visit, session["session"])
    else:
        span = {"start": session["start_time"], "end": _after(session["last_time"])}
        href = visit.link(links.to_user(visit, session["user"]).partition("?")[0], span)
    user = links.to_user(visit, session["user"]) if session["user"] else None
    return {**session, "href": href, "user_href": user}


def _after(time: str) -> str:
    """Return a nanosecond later, since ranges do not have their end."""
    return str(parse_time_ns(time) + 1)


def _since(visit: Visit, active: Mapping[str, Any]) -> int | None:
    """Return from when on users are known where that is less than the thirty days that are counted."""
    since_ns = parse_time_ns(active["since"]) if active["since"] else None
    return since_ns if since_ns and since_ns > visit.window.end_ns - _MONTH_NS + 86_400 * 10**9 else None


def _chart(visit: Visit, summary: Mapping[str, Any]) -> charts.Chart:
    points = summary["points"]
    buckets = visit.buckets([point["t"] for point in points], summary["step_s"])
    layers = [
        charts.Series("users", "", [point["users"] for point in points]),
        charts.Series("sessions begun", "ink", [point["sessions"] for point in points]),
    ]
    return charts.lines("Users and sessions over time", buckets, layers, visit.clock, charts.count_text)
