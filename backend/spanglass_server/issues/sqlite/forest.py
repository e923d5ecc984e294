"""Issues that are merged into issues: which one stands for another, merging and undoing it.

A merge points from one issue to another and changes neither, so undoing it gives back what there was. Each issue is
merged into one other at most, always into one that stands by itself: that makes trees, whose roots people see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.issues.model import ActivityKind, Merge
from spanglass_server.issues.ports import InvalidChangeError, UnknownIssueError
from spanglass_server.issues.sqlite.database import statement
from spanglass_server.issues.sqlite.rows import is_storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from spanglass_server.issues.sqlite.transaction import Transaction


def root(connection: sqlite3.Connection, issue: int) -> int:
    """Return the number of the issue that stands for this one."""
    return int(connection.execute(statement("root"), (issue,)).fetchone()[0])


def members(connection: sqlite3.Connection, issue: int) -> list[int]:
    """Return the numbers of an issue and all that is merged into it."""
    return [number for (number,) in connection.execute(statement("members"), (issue,))]


def find(connection: sqlite3.Connection, issue_id: str) -> int:
    """Return the number of the issue that stands for the one of this id."""
    row = connection.execute("SELECT number FROM issues WHERE id = ?", (issue_id,)).fetchone()
    if row is None:
        raise UnknownIssueError(
            f"there is no issue {issue_id!r}: an id is like CHECKOUT-12, and the issue list has all"
        )
    return root(connection, row[0])


def id_and_service(connection: sqlite3.Connection, issue: int) -> tuple[str, str]:
    """Return the id and the service of an issue."""
    issue_id, service = connection.execute("SELECT id, service FROM issues WHERE number = ?", (issue,)).fetchone()
    return issue_id, service


def merge(change: Transaction, issue_ids: Sequence[str], into: str, actor: str) -> list[Merge]:
    """See ``IssueStore.merge``."""
    target = find(change.connection, into)
    sources = dict.fromkeys(find(change.connection, issue_id) for issue_id in issue_ids)
    sources.pop(target, None)
    target_id, service = id_and_service(change.connection, target)
    for source in sources:
        source_id, other = id_and_service(change.connection, source)
        if other != service:
            raise InvalidChangeError(
                "ids",
                f"{source_id} is of the service {other!r}, {target_id} of {service!r}: merge issues of one service",
            )
    return [join(change, source, target, actor) for source in sources]


def join(change: Transaction, source: int, target: int, actor: str, *, by_regrouping: bool = False) -> Merge:
    """Merge one issue that stands by itself into another."""
    source_id, _ = id_and_service(change.connection, source)
    target_id, _ = id_and_service(change.connection, target)
    merge_id = change.next_number("merges")
    values = merge_id, source, target, change.now_ns, actor, by_regrouping
    change.write(
        "INSERT INTO merges (id, issue, target, time_ns, actor, by_regrouping) VALUES (?, ?, ?, ?, ?, ?)", *values
    )
    _settle(change, source)
    for issue in (source, target):
        change.log(issue, actor, ActivityKind.MERGED, source_id, target_id)
    return Merge(merge_id, source_id, target_id, change.now_ns, actor, by_regrouping)


def _settle(change: Transaction, issue: int) -> None:
    """Note that an issue's keys are another's now, which nothing reopens that is known of them."""
    change.has_merged = True
    sql = "UPDATE keys SET settled_ns = max(settled_ns, coalesce(last_ns, 0)) WHERE issue = ?"
    change.write_many(sql, [(member,) for member in members(change.connection, issue)])


def unmerge(change: Transaction, merge_ids: Sequence[int], actor: str) -> None:
    """See ``IssueStore.unmerge``."""
    for merge_id in dict.fromkeys(merge_ids):
        sql = "SELECT issue, target, undone_ns FROM merges WHERE id = ?"
        row = change.row(sql, merge_id) if is_storable(merge_id) else None
        if row is None:
            raise InvalidChangeError("merge", f"there is no merge {merge_id}: the issue's page lists those that stand")
        source, target, undone_ns = row
        if undone_ns is not None:
            continue
        change.write("UPDATE merges SET undone_ns = ?, undone_by = ? WHERE id = ?", change.now_ns, actor, merge_id)
        _settle(change, source)
        source_id, _ = id_and_service(change.connection, source)
        target_id, _ = id_and_service(change.connection, target)
        for issue in (source, target):
            change.log(issue, actor, ActivityKind.UNMERGED, source_id, target_id)


def unmerge_keys(change: Transaction, issue_id: str, keys: Sequence[int], actor: str) -> None:
    """See ``IssueStore.unmerge_keys``."""
    holder = find(change.connection, issue_id)
    merges = []
    for key in keys:
        home = change.row("SELECT issue FROM keys WHERE key = ?", key) if is_storable(key) else None
        if home is None or root(change.connection, home[0]) != holder:
            raise InvalidChangeError("keys", f"{issue_id} has no key {key}: its page lists the keys it has")
        if home[0] == holder:
            raise InvalidChangeError(
                "keys", f"the key {key} is {issue_id}'s own: only what was merged can be taken out"
            )
        merges += change.row("SELECT id FROM merges WHERE issue = ? AND undone_ns IS NULL", home[0])
    unmerge(change, merges, actor)
