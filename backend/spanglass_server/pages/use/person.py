"""``/users/{user}`` and ``/sessions/{session}``: the course of what somebody did, and what they met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.explorer import search
from spanglass_server.pages.rendering import terms
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.use import links
from spanglass_server.pages.use.users import with_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_MOST_STEPS: Final = 200
_MOST_SESSIONS: Final = 30


async def show_user(visit: Visit) -> Response:
    """``/users/{user}``."""
    user = str(visit.request.path_params["user"])
    return await _show(visit, user, {"user": user}, links.of_user(user))


async def show_session(visit: Visit) -> Response:
    """``/sessions/{session}``."""
    session = str(visit.request.path_params["session"])
    return await _show(visit, session, {"session": session}, links.of_session(session))


async def _show(visit: Visit, name: str, who: Mapping[str, str], own: str) -> Response:
    box, told, problem = await search.answered(visit, "spans", lambda visit: _read(visit, who))
    is_user = "user" in who
    own = f"({own})" if is_user else own
    return visit.page(
        "use/person.html", status=problem.status if problem else 200, box=box, problem=problem, told=told, name=name,
        is_user=is_user, errors_only=visit.param("only") == "errors",
        traces=visit.go("/traces", filter=own), logs=visit.go("/logs", filter=own),
        issues=visit.go("/issues", filter=terms.term("user.id", name)) if is_user else None,
    )  # fmt: skip


async def _read(visit: Visit, who: Mapping[str, str]) -> dict[str, Any]:
    asked = {**visit.window.as_params(), "filter": visit.param("filter"), **who}
    only = "errors" if visit.param("only") == "errors" else ""
    summary, sessions, course, features = await visit.together(
        visit.api("users", "summary", **asked, buckets=1),
        visit.api("sessions", **asked, limit=_MOST_SESSIONS),
        visit.api("users", "course", **asked, only=only, limit=_MOST_STEPS),
        visit.api("users", "features", **asked, limit=_MOST_SESSIONS),
    )
    steps = [{**step, "href": links.of_step(step), "time_ns": parse_time_ns(step["time"])} for step in course["steps"]]
    return {
        "summary": summary,
        "sessions": [with_session(visit, session) for session in sessions["sessions"]],
        "users": sorted({each["user"] for each in sessions["sessions"] if each["user"]}),
        "total": sessions["total"],
        "steps": steps,
        "features": [{**each, "href": links.of_event(visit, each["name"])} for each in features["features"]],
        "earlier": _earlier(visit, steps) if course["more"] else None,
    }


def _earlier(visit: Visit, steps: list[dict[str, Any]]) -> str:
    """Return a link to what came before the steps that are shown."""
    start = visit.window.absolute()["start"]
    return visit.here(last=None, start=start, end=str(steps[-1]["time_ns"]))
