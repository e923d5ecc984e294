"""What people do to issues, and what ends their being ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.issues import changes
from spanglass_server.issues.model import AUTOMATIC, ActivityKind, Comment, EventKind
from spanglass_server.issues.ports import InvalidChangeError
from spanglass_server.issues.sqlite.forest import find, id_and_service, members
from spanglass_server.issues.states import IgnoredUntil, State, Status, ignoring_ends

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.issues.model import IssueChange
    from spanglass_server.issues.sqlite.transaction import Transaction
    from spanglass_server.issues.states import IgnoredCounts

_MERGED = "SELECT 1 FROM merges WHERE issue = ? AND undone_ns IS NULL"


def apply(change: Transaction, issue_ids: Sequence[str], wanted: IssueChange, actor: str) -> None:
    """See ``IssueStore.change``."""
    changes.check(wanted, change.now_ns)
    for issue in dict.fromkeys(find(change.connection, issue_id) for issue_id in issue_ids):
        if wanted.assignee is not None:
            _assign(change, issue, wanted.assignee.strip(), actor)
        if wanted.state is not None:
            _set_state(change, issue, wanted, actor)


def _assign(change: Transaction, issue: int, assignee: str, actor: str) -> None:
    before = change.row("SELECT assignee FROM issues WHERE number = ?", issue)[0]
    if assignee != before:
        change.write("UPDATE issues SET assignee = ? WHERE number = ?", assignee, issue)
        change.log(issue, actor, ActivityKind.ASSIGNEE, before, assignee)
        _acted_on(change, issue)


def _acted_on(change: Transaction, issue: int) -> None:
    change.write("UPDATE issues SET state = ? WHERE number = ? AND state = ?", State.ONGOING, issue, State.NEW)


def _set_state(change: Transaction, issue: int, wanted: IssueChange, actor: str) -> None:
    service = id_and_service(change.connection, issue)[1]
    status = changes.new_status(
        wanted, lambda: change.releases(service).newest, _last_seen_ns(change, issue), change.now_ns
    )
    if not changes.is_same(change.status(issue), status):
        change.set_status(issue, status, actor, changes.detail(status))


def _last_seen_ns(change: Transaction, issue: int) -> int:
    sql = "SELECT max(last_ns) FROM keys WHERE issue = ?"
    return max(change.row(sql, member)[0] or 0 for member in members(change.connection, issue))


def comment(change: Transaction, issue_id: str, text: str, actor: str) -> Comment:
    """See ``IssueStore.comment``."""
    if not text.strip():
        raise InvalidChangeError("text", "a comment needs a text")
    issue = find(change.connection, issue_id)
    comment_id = change.next_number("comments")
    change.write("INSERT INTO comments VALUES (?, ?, ?, ?, ?)", comment_id, issue, change.now_ns, actor, text)
    change.log(issue, actor, ActivityKind.COMMENT, detail=str(comment_id))
    _acted_on(change, issue)
    return Comment(comment_id, id_and_service(change.connection, issue)[0], change.now_ns, actor, text)


def end_ignoring(change: Transaction, counts: Mapping[str, IgnoredCounts]) -> None:
    """See ``IssueStore.apply_counts``."""
    timed = "SELECT id FROM issues WHERE state = 'ignored' AND ignored_until = ? AND ignored_limit <= ?"
    over = [issue_id for (issue_id,) in change.rows(timed, IgnoredUntil.TIME, change.now_ns)]
    for issue_id in dict.fromkeys([*over, *counts]):
        row = change.row("SELECT number FROM issues WHERE id = ?", issue_id)
        if row is None or change.row(_MERGED, row[0]) is not None:
            continue  # merged since it was asked about
        status = change.status(row[0])
        if status.ignore and ignoring_ends(status.ignore, counts.get(issue_id), change.now_ns):
            _end(change, row[0], status)


def _end(change: Transaction, issue: int, status: Status) -> None:
    met = changes.detail(status)
    change.set_status(issue, Status(State.ONGOING), AUTOMATIC, met)
    escalated = status.ignore is not None and status.ignore.until is IgnoredUntil.ESCALATES
    kind = EventKind.ESCALATION if escalated else EventKind.UNIGNORED
    change.tell(kind, (issue, *id_and_service(change.connection, issue)), ("", ""), met)
