"""What the issue store knows, as queries join it with stored occurrences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from spanglass_server.issues.ports import UnknownIssueError
from spanglass_server.issues.states import NEW_FOR_NS, State
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.compiling.sql import Sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.issues.model import Issue, IssueSummary, Snapshot
    from spanglass_server.issues.ports import IssueStore
    from spanglass_server.store.ports import QuerySession

_COLUMNS = {
    "issue_key": pa.int64(),
    "number": pa.int32(),  # of the issue in this table: cheaper to group by than its id
    "id": pa.string(),
    "stored_state": pa.string(),
    "first_seen_ns": pa.int64(),
    "assignee": pa.string(),
    "title": pa.string(),
}


@dataclass(frozen=True, slots=True)
class Known:
    """All issues at the moment of a query. ``table`` is SQL for a row a key, with the issue that has it."""

    snapshot: Snapshot
    table: Sql
    now_ns: int


class KnownIssues:
    """The issue store as queries use it.

    ``settle`` returns when the store knows every key that stored occurrences have; sessions that began before then
    have no other keys.
    """

    def __init__(self, store: IssueStore, settle: Callable[[], None] = lambda: None) -> None:
        self.store = store
        self._settle = settle
        self._rows: tuple[int, pa.Table] | None = None

    def at(self, session: QuerySession, now_ns: int) -> Known:
        """Return all issues as a table of the session."""
        snapshot = self.snapshot()
        held = self._rows
        if held is None or held[0] != snapshot.version:
            held = self._rows = (snapshot.version, _rows(snapshot))
        name = session.table(held[1])
        table = (
            f"(SELECT * EXCLUDE (stored_state), CASE WHEN stored_state = '{State.NEW}' "  # noqa: S608 - no text of users
            f"AND first_seen_ns <= {now_ns - NEW_FOR_NS:d} THEN '{State.ONGOING}' ELSE stored_state END AS state "
            f"FROM {name})"
        )
        return Known(snapshot, Sql(table), now_ns)

    def snapshot(self) -> Snapshot:
        """Return all issues, those of all stored occurrences among them."""
        self._settle()
        return self.store.snapshot()

    def summary(self, issue_id: str) -> IssueSummary:
        """Return one issue; BadQuestionError (not_found) if there is none."""
        snapshot = self.snapshot()
        found = snapshot.issues.get(issue_id.upper())
        return found or self.issue(issue_id).summary

    def issue(self, issue_id: str) -> Issue:
        """Return one issue with everything; BadQuestionError (not_found) if there is none."""
        self._settle()
        try:
            return self.store.issue(issue_id.upper())
        except UnknownIssueError as error:
            raise BadQuestionError(
                f"there is no issue {issue_id!r}", field="issue", hint="GET /api/v1/issues lists them", code="not_found"
            ) from error


def _rows(snapshot: Snapshot) -> pa.Table:
    """Write a row a key."""
    rows = [
        (key, number, issue.id, str(issue.status.state), issue.first_seen_ns, issue.assignee, issue.title)
        for number, issue in enumerate(snapshot.issues.values())
        for key in issue.keys
    ]
    columns = zip(*rows, strict=True) if rows else ((),) * len(_COLUMNS)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, _COLUMNS.values(), strict=True)]
    return pa.table(arrays, names=list(_COLUMNS))
