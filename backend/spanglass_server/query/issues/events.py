"""Events of issues: what rules wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.query.issues.answers import IssueEventList
    from spanglass_server.query.issues.known import KnownIssues


def list_events(issues: KnownIssues, after: int, limit: int) -> IssueEventList:
    """Answer ``GET /api/v1/issue-events``: those that came after one, the oldest first."""
    events = issues.store.events(after, limit)
    return {
        "events": [
            {
                "id": event.id,
                "kind": event.kind.value,
                "time": format_time(event.time_ns),
                "issue": event.issue,
                "service": event.service,
                "release": event.release or None,
                "environment": event.environment or None,
                "detail": event.detail,
            }
            for event in events
        ],
        "last_id": events[-1].id if events else after,
    }
