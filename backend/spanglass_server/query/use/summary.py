"""How many users and sessions there are, over time, and in the days before the end of a range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.statements import rows, statement
from spanglass_server.query.use.activity import SEEN, activity, bin_of
from spanglass_server.query.window import Buckets, bucket_seconds, clamp, describe
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.query.language.compiling.sql import Sql
    from spanglass_server.query.use.activity import Activity, UseQuestion
    from spanglass_server.query.use.answers import ActiveUsers, UseSummary
    from spanglass_server.store.ports import QuerySession

_DAY_NS = 86_400 * NS_PER_SECOND
_WEEK_DAYS, _MONTH_DAYS = 7, 30
_NOBODY: dict[str, Any] = {"users": 0, "requests": 0, "errors": 0, "events": 0}
_NO_SESSION: dict[str, Any] = {"sessions": 0, "anonymous": 0, "p50_ns": None, "p95_ns": None}


def summarize_use(session: QuerySession, question: UseQuestion, buckets: int) -> UseSummary:
    """Answer ``GET /api/v1/users/summary``: every step of the range, also those without users."""
    steps, found = Buckets.about(question.window, buckets), activity(session, question)
    return summary_of(question, steps, _totals(session, found, steps) if found else (), found.one_in if found else 1)


def summary_of(
    question: UseQuestion, steps: Buckets, totals: Sequence[Mapping[str, Any]], one_in: int = 1
) -> UseSummary:
    """Write totals, those ``of`` users and those of sessions, as the API says them."""
    users, sessions = ({row["step"]: row for row in totals if row["of"] == of} for of in ("users", "sessions"))
    who, whole = users.get(None, _NOBODY), sessions.get(None, _NO_SESSION)
    return {
        "window": describe(question.window),
        "users": who["users"] * one_in,
        "anonymous": whole["anonymous"] * one_in,
        "sessions": whole["sessions"] * one_in,
        "session_p50_ns": whole["p50_ns"],
        "session_p95_ns": whole["p95_ns"],
        "requests": (who["requests"] or 0) * one_in,
        "errors": (who["errors"] or 0) * one_in,
        "events": (who["events"] or 0) * one_in,
        "step_s": steps.step_s,
        "points": [
            {
                "t": bucket_seconds(start_ns),
                "users": users.get(place, _NOBODY)["users"] * one_in,
                "sessions": sessions.get(place, _NO_SESSION)["sessions"] * one_in,
            }
            for place, start_ns in enumerate(steps.starts_ns())
        ],
        "users_share": share_of(one_in),
    }


def totals_by_step(found: Activity, steps: Buckets, bins: Sql | None, sessions: Sql | None = None) -> tuple[Sql, Sql]:
    """Write the statements of users and of sessions by step, over ``bins`` and ``sessions`` that are there already."""
    times, bin_ns = {"first_ns": steps.first_ns, "step_ns": steps.step_ns}, bin_of(steps.step_ns)
    users = statement("use/user_totals", bins=bins or found.bins(bin_ns), bin_ns=bin_ns, **times)
    return users, statement("use/session_totals", sessions=sessions or found.sessions(bins), **times)


def _totals(session: QuerySession, found: Activity, steps: Buckets) -> list[dict[str, Any]]:
    """Look at all users once; of some of very many twice, since sessions are chosen by their own ids."""
    is_shared = found.one_in == 1
    users, sessions = totals_by_step(found, steps, SEEN if is_shared else None)
    if is_shared:
        bins = found.bins(bin_of(steps.step_ns))
        return rows(session, statement("use/totals", bins=bins, users=users, sessions=sessions))
    of_users, of_sessions = rows(session, users), rows(session, sessions)
    return [*({**row, "of": "users"} for row in of_users), *({**row, "of": "sessions"} for row in of_sessions)]


def active_users(session: QuerySession, question: UseQuestion) -> ActiveUsers:
    """Answer ``GET /api/v1/users/active``; of the question's range only the end counts."""
    end_ns = question.window.end_ns
    days = type(question)(clamp(end_ns - _MONTH_DAYS * _DAY_NS, end_ns), question.filter, question.user)
    found = activity(session, days)
    if found is None:
        return {"day": 0, "week": 0, "month": 0, "since": None, "users_share": None}
    (row,) = rows(
        session,
        statement(
            "use/active",
            seen=found.seen,
            chosen=found.chosen_users,
            day_ns=end_ns - _DAY_NS,
            week_ns=end_ns - _WEEK_DAYS * _DAY_NS,
        ),
    )
    return {
        "day": row["day"] * found.one_in,
        "week": row["week"] * found.one_in,
        "month": row["month"] * found.one_in,
        "since": None if row["since_ns"] is None else format_time(row["since_ns"]),
        "users_share": share_of(found.one_in),
    }


def share_of(one_in: int) -> float | None:
    """Return the share of users that is looked at; None for all."""
    return 1 / one_in if one_in > 1 else None
