"""One issue: its figures in a range, why it is grouped as it is, and what was done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.issues.figures import described_steps, figures, ignore_limit, titled
from spanglass_server.query.issues.occurrences.matching import match_occurrences
from spanglass_server.query.issues.similar import similar_issues
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import Buckets, describe
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.issues.model import Comment as StoredComment
    from spanglass_server.issues.model import Issue, IssueSummary, Merge
    from spanglass_server.query.issues.answers import (
        Activity,
        Comment,
        Fingerprint,
        Ignore,
        IssuePage,
        Merged,
        ReleaseMark,
        ReleaseOfIssue,
        Resolution,
    )
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.query.issues.occurrences.matching import Occurrences
    from spanglass_server.store.ports import QuerySession, Window


def show_issue(
    session: QuerySession, issues: KnownIssues, issue_id: str, window: Window, now_ns: int, buckets: int
) -> IssuePage:
    """Answer ``GET /api/v1/issues/{issue}``; BadQuestionError (not_found) if there is none."""
    known = issues.at(session, now_ns)
    issue = issues.issue(issue_id)
    summary = issue.summary
    occurrences = match_occurrences(session, known, window, service=summary.service)
    steps = Buckets.about(window, buckets)
    events, releases = _by_release(session, occurrences, summary)
    return {
        **titled(session, summary, now_ns),
        **figures(session, known, occurrences, [summary], steps)[summary.id],
        **described_steps(steps),
        "window": describe(window),
        "first_seen_time": format_time(summary.first_seen_ns),
        "first_release": summary.first_release or None,
        "latest_time": format_time(issue.last_seen_ns),
        "fingerprint": _fingerprint(issue, events),
        "activity": _activity(issue),
        "comments": [comment_json(comment) for comment in issue.comments],
        "merged": [merge_json(merge) for merge in issue.merges],
        "releases": releases,
        "release_marks": _marks(issues, summary.service, window),
        "resolution": _resolution(summary),
        "ignore": _ignore(summary),
        "similar": similar_issues(issues, known.snapshot, issue, now_ns),
    }


def _by_release(
    session: QuerySession, occurrences: Occurrences, issue: IssueSummary
) -> tuple[dict[int, int], list[ReleaseOfIssue]]:
    """Count the events of each key, and those of each release, the newest first."""
    found = rows(
        session,
        statement(
            "issues/releases_of_issue",
            relation=occurrences.relation(session, ("issue_key", "release")),
            keys=one_of(issue.keys),
            where=occurrences.predicate,
        ),
    )
    events = {row["issue_key"]: row["events"] for row in found if row["by_key"]}
    releases: list[ReleaseOfIssue] = [
        {
            "release": row["release"],
            "events": row["events"],
            "first_seen_time": format_time(row["first_ns"]),
            "last_seen_time": format_time(row["last_ns"]),
        }
        for row in found
        if not row["by_key"]
    ]
    return events, releases


def _marks(issues: KnownIssues, service: str, window: Window) -> list[ReleaseMark]:
    return [
        {"release": release.release, "time": format_time(release.first_ns)}
        for release in issues.store.releases(service)
        if window.start_ns <= release.first_ns < window.end_ns
    ]


def key_text(key: int) -> str:
    """Write a key in hex: as a number it is past what JavaScript holds."""
    return f"{key % 2**64:016x}"


def _fingerprint(issue: Issue, events: Mapping[int, int]) -> Fingerprint:
    return {
        "version": max((key.version or 0 for key in issue.keys), default=0),
        "keys": [
            {
                "key": key_text(key.key),
                "issue": key.issue,
                "version": key.version,
                "inputs": [{"kind": kind, "value": value} for kind, value in key.inputs],  # type: ignore[typeddict-item]
                "events": events.get(key.key, 0),
            }
            for key in issue.keys
        ],
    }


def _activity(issue: Issue) -> list[Activity]:
    return [
        {
            "time": format_time(entry.time_ns),
            "who": entry.actor,
            "what": entry.kind.value,
            "from": entry.before,
            "to": entry.after,
            "detail": entry.detail,
            "issue": entry.issue,
        }
        for entry in issue.activity
    ]


def comment_json(comment: StoredComment) -> Comment:
    """Write one comment."""
    return {
        "id": comment.id,
        "time": format_time(comment.time_ns),
        "who": comment.actor,
        "text": comment.text,
        "issue": comment.issue,
    }


def merge_json(merge: Merge) -> Merged:
    """Write one merge."""
    return {
        "merge": merge.id,
        "issue": merge.issue,
        "into": merge.into,
        "time": format_time(merge.time_ns),
        "who": merge.actor,
        "by_regrouping": merge.by_regrouping,
    }


def _resolution(issue: IssueSummary) -> Resolution | None:
    resolution = issue.status.resolution
    if resolution is None:
        return None
    return {
        "how": resolution.how.value,
        "release": resolution.release or None,
        "time": format_time(resolution.time_ns),
    }


def _ignore(issue: IssueSummary) -> Ignore | None:
    ignore = issue.status.ignore
    if ignore is None:
        return None
    return {"until": ignore.until.value, "since_time": format_time(ignore.since_ns), "limit": ignore_limit(issue)}
