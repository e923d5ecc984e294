"""Issues as readers' SQL sees them: ``issues``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from spanglass_server.store.offered_tables import FLAG, TEXT, TIME, WHOLE, table_of
from spanglass_server.store.ports import OfferedTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.issues.model import IssueSummary
    from spanglass_server.issues.ports import IssueStore
    from spanglass_server.store.offered_tables import Columns


def sql_views(store: IssueStore, clock_ns: Callable[[], int]) -> dict[str, OfferedTable]:
    """The view by name."""
    return {"issues": OfferedTable(lambda: table_of(_columns(clock_ns()), store.snapshot().issues.values()))}


def _columns(now_ns: int) -> Columns[IssueSummary]:
    """The columns, with the states that issues have at a time."""
    return {
        "id": (TEXT, lambda issue: issue.id),
        "service": (TEXT, lambda issue: issue.service),
        "title": (TEXT, lambda issue: issue.title),
        "type": (TEXT, lambda issue: issue.type),
        "message": (TEXT, lambda issue: issue.message),
        "culprit": (TEXT, lambda issue: issue.culprit),
        "state": (TEXT, lambda issue: issue.state(now_ns).value),
        "assignee": (TEXT, lambda issue: issue.assignee or None),
        "first_seen": (TIME, lambda issue: issue.first_seen_ns),
        "first_release": (TEXT, lambda issue: issue.first_release or None),
        "is_overflow": (FLAG, lambda issue: issue.is_overflow),
        "issue_keys": (pa.list_(WHOLE), lambda issue: list(issue.keys)),
    }
