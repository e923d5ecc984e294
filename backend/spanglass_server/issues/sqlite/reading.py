"""What the issue store is asked."""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from spanglass_server.issues.model import (
    ActivityKind,
    Comment,
    Due,
    Event,
    Issue,
    IssueSummary,
    Release,
    RuleSet,
    Snapshot,
)
from spanglass_server.issues.releases import Releases
from spanglass_server.issues.sqlite import rows
from spanglass_server.issues.sqlite.forest import find, members, root
from spanglass_server.issues.states import COUNTED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

_BOTH_SIDES = (ActivityKind.MERGED, ActivityKind.UNMERGED)


def snapshot(connection: sqlite3.Connection) -> Snapshot:
    """See ``IssueStore.snapshot``."""
    parents = dict(connection.execute("SELECT issue, target FROM merges WHERE undone_ns IS NULL"))
    keys: dict[int, list[Sequence[Any]]] = defaultdict(list)
    for row in connection.execute("SELECT key, issue, first_ns, first_release FROM keys ORDER BY key"):
        holder = row[1]
        while holder in parents:
            holder = parents[holder]
        keys[holder].append(row)
    issues, by_key = {}, {}
    for row in connection.execute("SELECT * FROM issues ORDER BY number"):
        if row[rows.NUMBER] not in parents:
            issue = _summary(row, keys[row[rows.NUMBER]])
            issues[issue.id] = issue
            by_key.update(dict.fromkeys(issue.keys, issue))
    return Snapshot(version(connection), MappingProxyType(issues), MappingProxyType(by_key))


def renewed_snapshot(connection: sqlite3.Connection, before: Snapshot, touched: Iterable[int]) -> Snapshot:
    """Return the snapshot that follows one after which only these issues changed, none by a merge."""
    issues, by_key = dict(before.issues), dict(before.by_key)
    sql = "SELECT key, issue, first_ns, first_release FROM keys WHERE issue = ?"
    for holder in sorted({root(connection, number) for number in touched}):
        row = _row(connection, holder)
        if row is None:
            continue  # the change that would have made it is not committed
        issue = _summary(row, sorted(_of(connection, sql, members(connection, holder))))
        issues[issue.id] = issue
        by_key.update(dict.fromkeys(issue.keys, issue))
    return Snapshot(version(connection), MappingProxyType(issues), MappingProxyType(by_key))


def version(connection: sqlite3.Connection) -> int:
    """Return the version that a connection sees."""
    return int(connection.execute("SELECT value FROM facts WHERE name = 'version'").fetchone()[0])


def _summary(row: Sequence[Any], keys: Sequence[Sequence[Any]]) -> IssueSummary:
    first_ns, first_release = min((first_ns, release) for _, _, first_ns, release in keys if first_ns is not None)
    title, kind, message, culprit = row[rows.TITLE : rows.CULPRIT + 1]
    return IssueSummary(
        row[rows.ID],
        row[rows.SERVICE],
        title,
        kind,
        message,
        culprit,
        rows.status_of(row),
        row[rows.ASSIGNEE],
        first_ns,
        first_release,
        tuple(key[0] for key in keys),
        bool(row[rows.IS_OVERFLOW]),
    )


def issue(connection: sqlite3.Connection, issue_id: str) -> Issue:
    """See ``IssueStore.issue``."""
    holder = find(connection, issue_id)
    numbers = members(connection, holder)
    ids = {number: _row(connection, number)[rows.ID] for number in numbers}
    found = sorted(_of(connection, "SELECT * FROM keys WHERE issue = ? ORDER BY key", numbers))
    keys = tuple(rows.key_record(row, ids[row[1]]) for row in found)
    last_ns, last_release = max((key.last_ns, key.last_release) for key in keys if key.last_ns is not None)
    summary = _summary(_row(connection, holder), [(row[0], row[1], row[4], row[6]) for row in found])
    activity = sorted(_of(connection, "SELECT * FROM activity WHERE issue = ?", numbers))
    comments = sorted(_of(connection, "SELECT * FROM comments WHERE issue = ?", numbers))
    merges = sorted(_of(connection, "SELECT * FROM merges WHERE target = ? AND undone_ns IS NULL", numbers))
    return Issue(
        summary,
        last_ns,
        last_release,
        keys,
        tuple(rows.activity(row, ids[row[1]]) for row in activity if not _is_told_twice(row, ids, holder)),
        tuple(Comment(row[0], ids[row[1]], *row[2:]) for row in comments),
        tuple(rows.merge(row, ids[row[1]], ids[row[2]]) for row in merges),
    )


def _is_told_twice(entry: Sequence[Any], ids: dict[int, str], holder: int) -> bool:
    """Whether an entry is the other half of a merge that the issue it went into has in its own log."""
    _, number, _, _, kind, before, _, _ = entry
    return kind in _BOTH_SIDES and number != holder and before == ids[number]


def _row(connection: sqlite3.Connection, number: int) -> Any:
    row: Any = connection.execute("SELECT * FROM issues WHERE number = ?", (number,)).fetchone()
    return row


def _of(connection: sqlite3.Connection, sql: str, numbers: Iterable[int]) -> Iterable[Any]:
    for number in numbers:
        yield from connection.execute(sql, (number,))


def releases(connection: sqlite3.Connection, service: str) -> list[Release]:
    """See ``IssueStore.releases``."""
    by_name: dict[str, list[Sequence[Any]]] = defaultdict(list)
    sql = "SELECT release, environment, first_ns, last_ns FROM releases WHERE service = ?"
    for name, *seen in connection.execute(sql, (service,)):
        by_name[name].append(seen)
    order = Releases({name: min(seen[1] for seen in found) for name, found in by_name.items()}).oldest_first
    return [_release(service, name, by_name[name]) for name in order]


def _release(service: str, name: str, found: Sequence[Sequence[Any]]) -> Release:
    environments = tuple(sorted(seen[0] for seen in found if seen[0]))
    return Release(service, name, min(seen[1] for seen in found), max(seen[2] for seen in found), environments)


def events(connection: sqlite3.Connection, after: int, limit: int) -> list[Event]:
    """See ``IssueStore.events``."""
    sql = (
        "SELECT issues.id, issues.service, events.* FROM events JOIN issues ON issues.number = events.issue "
        "WHERE events.id > ? ORDER BY events.id LIMIT ?"
    )
    return [rows.event(row, issue_id, service) for issue_id, service, *row in connection.execute(sql, (after, limit))]


def due(snapshot: Snapshot) -> list[Due]:
    """See ``IssueStore.due``."""
    return [
        Due(issue.id, issue.keys, ignore.until, ignore.since_ns, ignore.limit)
        for issue in snapshot.issues.values()
        if (ignore := issue.status.ignore) and ignore.until in COUNTED
    ]


def rules(connection: sqlite3.Connection) -> RuleSet:
    """See ``IssueStore.rules``."""
    epoch = connection.execute("SELECT value FROM facts WHERE name = 'rule_epoch'").fetchone()[0]
    sql = "SELECT id, body, created_ns, actor FROM rules WHERE deleted_ns IS NULL ORDER BY id"
    return RuleSet(epoch, tuple(rows.rule(row) for row in connection.execute(sql)))
