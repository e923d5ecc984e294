"""What is used: events by name, and requests by what they asked for, each with by how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.services.estimates import counting, sampled_share
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.use.activity import IS_EVENT, identified
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.query.use.activity import UseQuestion
    from spanglass_server.query.use.answers import FeatureList, PathList
    from spanglass_server.store.ports import QuerySession

_ROUTE = "http.route"


def list_features(session: QuerySession, question: UseQuestion, limit: int) -> FeatureList:
    """Answer ``GET /api/v1/users/features``: events, also those of which nobody knows the user."""
    source = identified(session, Signal.LOGS, question)
    if source is None:
        return {"features": []}
    found = statement(
        "use/features",
        user=source.user,
        session=source.session,
        relation=source.relation(session, ("event_name",)),
        where=source.records.predicate,
        is_event=IS_EVENT,
        count=limit,
    )
    return {
        "features": [
            {
                "name": row["name"],
                "events": row["events"],
                "users": row["users"],
                "sessions": row["sessions"],
                "last_time": format_time(row["last_ns"]),
            }
            for row in rows(session, found)
        ]
    }


def list_paths(session: QuerySession, question: UseQuestion, limit: int) -> PathList:
    """Answer ``GET /api/v1/users/paths``: server spans by service, name, and route where the name lacks it."""
    source = identified(session, Signal.SPANS, question)
    if source is None:
        return {"paths": []}
    counts, counted = counting(source.records.known)
    route, of_route = source.records.expression(_ROUTE, "filter")
    columns = ("name", "kind", "status_code", "duration_ns", SERVICE, *counted, *of_route)
    lacking = f"CASE WHEN NOT contains(coalesce(name, ''), ({route.text})) THEN ({route.text})::VARCHAR END"
    found = statement(
        "use/paths",
        **counts,
        user=source.user,
        session=source.session,
        service=SERVICE_NAME,
        route=Sql(lacking, route.parameters * 2),
        relation=source.relation(session, columns),
        where=source.records.predicate,
        count=limit,
    )
    return {
        "paths": [
            {
                "service": row["service"],
                "slot": session.service_slot(row["service"]),
                "operation": row["operation"],
                "route": row["route"],
                "requests": row["requests"],
                "errors": row["errors"],
                "users": row["users"],
                "sessions": row["sessions"],
                "p95_ns": None if row["p95_ns"] is None else round(row["p95_ns"]),
                "sampled_share": sampled_share(row["stored"], row["requests"]),
            }
            for row in rows(session, found)
        ]
    }
