"""Totals, users and sessions of a range from one look at all of its records: what a page shows together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.use.activity import SEEN, activity, bin_of
from spanglass_server.query.use.people import (
    asked_sessions,
    asked_users,
    list_sessions,
    list_users,
    session_list,
    user_list,
)
from spanglass_server.query.use.summary import summarize_use, summary_of, totals_by_step
from spanglass_server.query.window import Buckets

if TYPE_CHECKING:
    from spanglass_server.query.use.activity import UseQuestion
    from spanglass_server.query.use.answers import UseOverview
    from spanglass_server.store.ports import QuerySession

#: What ``use/overview.sql`` has worked out once.
_TOLD, _SESSIONS = Sql("SELECT * FROM told_of_all"), Sql("SELECT * FROM all_sessions")
_NEWEST = "last"


@dataclass(frozen=True, slots=True)
class Shown:
    """How many steps of time, and how many users and sessions are wanted; users with a text in their id, by a sort."""

    buckets: int
    users: int
    sessions: int
    text: str = ""
    sort: str = _NEWEST


def use_overview(session: QuerySession, question: UseQuestion, shown: Shown) -> UseOverview:
    """Answer ``GET /api/v1/users/overview``."""
    found = activity(session, question)
    if found is None or found.one_in > 1:  # of very many users each is answered from those that are chosen for it
        return {
            "summary": summarize_use(session, question, shown.buckets),
            "users": list_users(session, question, shown.text, shown.sort, shown.users),
            "sessions": list_sessions(session, question, _NEWEST, shown.sessions),
        }
    steps = Buckets.about(question.window, shown.buckets)
    users, sessions = totals_by_step(found, steps, SEEN, _SESSIONS)
    read = rows(
        session,
        statement(
            "use/overview",
            bins=found.bins(bin_of(steps.step_ns)),
            told=found.told(SEEN),
            all_sessions=statement("use/sessions", told=_TOLD),
            users=users,
            sessions=sessions,
            listed_users=asked_users(_TOLD, shown.text, shown.sort, shown.users),
            listed_sessions=asked_sessions(_SESSIONS, _NEWEST, shown.sessions),
        ),
    )
    return {
        "summary": summary_of(question, steps, read),
        "users": user_list(row for row in read if row["of"] == "listed users"),
        "sessions": session_list(row for row in read if row["of"] == "listed sessions"),
    }
