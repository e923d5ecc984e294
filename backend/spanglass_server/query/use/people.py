"""Users and sessions of a range, listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.use.activity import activity
from spanglass_server.query.use.summary import share_of
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_server.query.use.activity import UseQuestion
    from spanglass_server.query.use.answers import SessionList, UserList
    from spanglass_server.store.ports import QuerySession

#: What lists are sorted by, the most first; the columns of their rows.
SESSION_SORTS: Final = {"last": "last_ns", "duration": "last_ns - first_ns", "requests": "requests", "errors": "errors"}
USER_SORTS: Final = {"last": "last_ns", "sessions": "sessions", "requests": "requests", "errors": "errors",
                     "events": "events"}  # fmt: skip


def list_users(session: QuerySession, question: UseQuestion, text: str, sort: str, limit: int) -> UserList:
    """Answer ``GET /api/v1/users``: those whose id has a text in it, whatever its case."""
    found = activity(session, question)
    if found is None:
        return user_list(())
    return user_list(rows(session, asked_users(found.told(), text, sort, limit)), found.one_in)


def asked_users(told: Sql, text: str, sort: str, limit: int) -> Sql:
    """Write the statement of users, by what was told of them."""
    return statement("use/users", told=told, text=text, order=Sql(USER_SORTS[sort]), count=limit)


def user_list(found: Iterable[Mapping[str, Any]], one_in: int = 1) -> UserList:
    """Write users as the API says them, in the order in which they were asked for."""
    users = sorted(found, key=lambda row: row["place"])
    return {
        "users": [
            {
                "user": row["user_id"],
                "sessions": row["sessions"],
                "records": row["records"],
                "requests": row["requests"],
                "errors": row["errors"],
                "events": row["events"],
                "first_time": format_time(row["first_ns"]),
                "last_time": format_time(row["last_ns"]),
            }
            for row in users
        ],
        "total": users[0]["total"] * one_in if users else 0,
        "users_share": share_of(one_in),
    }


def list_sessions(session: QuerySession, question: UseQuestion, sort: str, limit: int) -> SessionList:
    """Answer ``GET /api/v1/sessions``."""
    found = activity(session, question)
    if found is None:
        return session_list(())
    return session_list(rows(session, asked_sessions(found.sessions(), sort, limit)), found.one_in)


def asked_sessions(sessions: Sql, sort: str, limit: int) -> Sql:
    """Write the statement of sessions that are listed."""
    return statement("use/newest_sessions", sessions=sessions, order=Sql(SESSION_SORTS[sort]), count=limit)


def session_list(found: Iterable[Mapping[str, Any]], one_in: int = 1) -> SessionList:
    """Write sessions as the API says them, in the order in which they were asked for."""
    sessions = sorted(found, key=lambda row: row["place"])
    return {
        "sessions": [
            {
                "session": row["session_id"],
                "user": row["user_id"],
                "records": row["records"],
                "requests": row["requests"],
                "errors": row["errors"],
                "events": row["events"],
                "start_time": format_time(row["first_ns"]),
                "last_time": format_time(row["last_ns"]),
                "duration_ns": row["last_ns"] - row["first_ns"],
            }
            for row in sessions
        ],
        "total": sessions[0]["total"] * one_in if sessions else 0,
        "users_share": share_of(one_in),
    }
