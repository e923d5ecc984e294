"""Figures of a few issues in a range, for lists and pages."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.issues.model import IssueSummary
    from spanglass_server.query.issues.answers import Counted, Steps, Titled
    from spanglass_server.query.issues.known import Known
    from spanglass_server.query.issues.occurrences.matching import Occurrences
    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import QuerySession, Window

Row = dict[str, Any]
_COLUMNS = ("issue_key", "user", "release", "environment")


def figures(
    session: QuerySession,
    known: Known,
    occurrences: Occurrences,
    issues: Collection[IssueSummary],
    steps: Buckets,
) -> dict[str, Counted]:
    """Count what occurred of these issues, by their ids; those of which nothing did have zeros."""
    keys = [key for issue in issues for key in issue.keys]
    found: list[Row] = []
    if keys:
        found = rows(
            session,
            statement(
                "issues/figures",
                middle_ns=middle_ns(occurrences.window),
                first_ns=steps.first_ns,
                step_ns=steps.step_ns,
                relation=occurrences.relation(session, _COLUMNS),
                issues=known.table,
                keys=one_of(keys),
                where=occurrences.predicate,
            ),
        )
    by_id = {row["id"]: row for row in found}
    return {issue.id: _counted(by_id.get(issue.id), steps) for issue in issues}


def _counted(row: Row | None, steps: Buckets) -> Counted:
    if row is None:
        return {
            "events": 0,
            "users": 0,
            "last_seen_time": None,
            "last_release": None,
            "environments": [],
            "series": [0] * steps.count,
            "trend": 0.0,
        }
    counts = dict(row["series"])
    return {
        "events": row["events"],
        "users": row["users"],
        "last_seen_time": format_time(row["last_ns"]),
        "last_release": row["last_release"],
        "environments": [name for name in row["environments"] or () if name],
        "series": [counts.get(place, 0) for place in range(steps.count)],
        "trend": round((2 * row["later"] - row["events"]) / sqrt(row["events"]), 3),
    }


def middle_ns(window: Window) -> int:
    """Return the time at which the second half of a range begins."""
    return (window.start_ns + window.end_ns) // 2


def titled(session: QuerySession, issue: IssueSummary, now_ns: int) -> Titled:
    """Write what an issue is called."""
    return {
        "id": issue.id,
        "title": issue.title,
        "type": issue.type,
        "message": issue.message,
        "culprit": issue.culprit,
        "service": issue.service,
        "slot": session.service_slot(issue.service),
        "state": issue.state(now_ns).value,
        "substate": substate(issue),
        "assignee": issue.assignee or None,
        "is_overflow": issue.is_overflow,
    }


def substate(issue: IssueSummary) -> str:
    """Say how an issue was resolved or is ignored: ``in_release 1.4.0``, ``until_time 2026-11-21T...``."""
    status = issue.status
    if status.ignore:
        limit = ignore_limit(issue)
        return status.ignore.until if limit is None else f"{status.ignore.until} {limit}"
    if status.resolution:
        return f"{status.resolution.how} {status.resolution.release}".rstrip()
    return ""


def ignore_limit(issue: IssueSummary) -> int | str | None:
    """Return what ends the ignoring of an issue: a time as text, or how many more."""
    ignore = issue.status.ignore
    if ignore is None or ignore.limit is None:
        return None
    return format_time(ignore.limit) if ignore.until == "until_time" else ignore.limit


def described_steps(steps: Buckets) -> Steps:
    """Say what series are counted by."""
    return {"series_start_time": format_time(steps.first_ns), "series_step_seconds": steps.step_s}
