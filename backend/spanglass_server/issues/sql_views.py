"""Issues as readers' SQL sees them: ``issues``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spanglass_server.store.ports import OfferedTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.issues.model import IssueSummary
    from spanglass_server.issues.ports import IssueStore

_TEXT = pa.string()
#: The columns: their type, and the value that an issue has at a time.
_ISSUES: Mapping[str, tuple[pa.DataType, Callable[[IssueSummary, int], Any]]] = {
    "id": (_TEXT, lambda issue, _: issue.id),
    "service": (_TEXT, lambda issue, _: issue.service),
    "title": (_TEXT, lambda issue, _: issue.title),
    "type": (_TEXT, lambda issue, _: issue.type),
    "message": (_TEXT, lambda issue, _: issue.message),
    "culprit": (_TEXT, lambda issue, _: issue.culprit),
    "state": (_TEXT, lambda issue, now_ns: issue.state(now_ns).value),
    "assignee": (_TEXT, lambda issue, _: issue.assignee or None),
    "first_seen": (pa.timestamp("ns"), lambda issue, _: issue.first_seen_ns),
    "first_release": (_TEXT, lambda issue, _: issue.first_release or None),
    "is_overflow": (pa.bool_(), lambda issue, _: issue.is_overflow),
    "issue_keys": (pa.list_(pa.int64()), lambda issue, _: list(issue.keys)),
}


def sql_views(store: IssueStore, clock_ns: Callable[[], int]) -> dict[str, OfferedTable]:
    """The view by name."""

    def rows() -> pa.Table:
        issues, now_ns = store.snapshot().issues.values(), clock_ns()
        columns = {
            name: pa.array([read(issue, now_ns) for issue in issues], kind) for name, (kind, read) in _ISSUES.items()
        }
        return pa.table(columns)

    return {"issues": OfferedTable(rows)}
