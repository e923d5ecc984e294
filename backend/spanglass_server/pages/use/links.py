"""Where users, sessions and what they did lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.pages.rendering import terms
from spanglass_server.query.use.activity import SESSION_KEY, USER_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.visit import Visit


def to_user(visit: Visit, user: str) -> str:
    """Return a link to a user's page."""
    return visit.go(f"/users/{quote(user, safe='')}", filter=visit.param("filter"))


def to_session(visit: Visit, session: str) -> str:
    """Return a link to a session's page."""
    return visit.go(f"/sessions/{quote(session, safe='')}", filter=visit.param("filter"))


def of_user(user: str) -> str:
    """Return the filter of a user's records."""
    return " or ".join(terms.term(key, user) for key in USER_KEYS)


def of_session(session: str) -> str:
    """Return the filter of a session's records."""
    return terms.term(SESSION_KEY, session)


def of_path(visit: Visit, path: Mapping[str, Any]) -> str:
    """Return a link to the traces of a path."""
    wanted = [
        terms.term(terms.SERVICE, path["service"]),
        terms.term(terms.OPERATION, path["operation"]),
        "kind = server",
    ]
    wanted += [terms.term("http.route", path["route"])] if path["route"] else []
    return visit.go("/traces", filter=terms.both(visit.param("filter"), " and ".join(wanted)))


def of_event(visit: Visit, name: str) -> str:
    """Return a link to the log records of an event."""
    return visit.go("/logs", filter=terms.both(visit.param("filter"), terms.term("event_name", name)))


def of_step(step: Mapping[str, Any]) -> str | None:
    """Return a link to the trace of a step of a course."""
    if not step["trace_id"]:
        return None
    span = f"?span={step['span_id']}" if step["span_id"] else ""
    return f"/traces/{step['trace_id']}{span}"
