"""Sightings become issues, and reopen those that were resolved."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from spanglass_server.issues.changes import detail
from spanglass_server.issues.identity import id_prefix, overflow_key, overflow_title
from spanglass_server.issues.model import AUTOMATIC, ActivityKind, EventKind, ReleaseSighting
from spanglass_server.issues.sqlite import rows
from spanglass_server.issues.sqlite.database import statement
from spanglass_server.issues.sqlite.forest import root
from spanglass_server.issues.states import State, Status, regresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.issues.model import Sighting
    from spanglass_server.issues.sqlite.transaction import Transaction
    from spanglass_server.issues.states import Resolution

_KEY_COLUMNS = 10  # of known_key.sql, after which those of the issue begin


def observe(change: Transaction, sightings: Sequence[Sighting], max_issues: int) -> None:
    """See ``IssueStore.observe``."""
    observe_releases(change, [_release(seen) for seen in sightings if seen.release])
    by_key: dict[int, list[Sighting]] = defaultdict(list)
    for seen in sightings:
        by_key[seen.key].append(seen)
    unknown = [group for key, group in by_key.items() if not _observe_known(change, key, group)]
    _Newcomers(change, max_issues).add(
        sorted(unknown, key=lambda group: (min(s.first_ns for s in group), group[0].key))
    )


def _release(seen: Sighting) -> ReleaseSighting:
    return ReleaseSighting(seen.service, seen.release, seen.first_ns, seen.last_ns, seen.environment)


def observe_releases(change: Transaction, sightings: Iterable[ReleaseSighting]) -> None:
    """See ``IssueStore.observe_releases``."""
    spans: dict[tuple[str, str, str], tuple[int, int]] = {}
    for seen in sightings:
        if seen.release:
            name = seen.service, seen.release, seen.environment
            first_ns, last_ns = spans.get(name, (seen.first_ns, seen.last_ns))
            spans[name] = min(first_ns, seen.first_ns), max(last_ns, seen.last_ns)
    added = change.write_many(
        "INSERT OR IGNORE INTO releases VALUES (?, ?, ?, ?, ?)", [(*name, *times) for name, times in spans.items()]
    )
    where = "WHERE service = ? AND release = ? AND environment = ?"
    earlier = change.write_many(
        f"UPDATE releases SET first_ns = ? {where} AND first_ns > ?",  # noqa: S608 - a constant
        [(first_ns, *name, first_ns) for name, (first_ns, _) in spans.items()],
    )
    change.write_many(
        f"UPDATE releases SET last_ns = ? {where} AND last_ns < ?",  # noqa: S608 - a constant
        [(last_ns, *name, last_ns) for name, (_, last_ns) in spans.items()],
    )
    change.changed = change.changed or added + earlier > 0


def _observe_known(change: Transaction, key: int, group: list[Sighting]) -> bool:
    """Take sightings of one key, or say that the key is not known."""
    found = change.row(statement("known_key"), key)
    if found is None:
        return False
    target, known, issue = found[0], found[1:_KEY_COLUMNS], found[_KEY_COLUMNS:]
    _update_key(change, known, group)
    _describe(change, issue, group)
    if target is not None:
        issue = change.row("SELECT * FROM issues WHERE number = ?", root(change.connection, target))
    settled_ns = known[-1]
    _reopen(change, issue, [seen for seen in group if seen.last_ns > settled_ns])
    return True


def _update_key(change: Transaction, known: Sequence[Any], group: list[Sighting]) -> None:
    key, _, _, _, *seen, _ = known
    now = _extent(group, None if seen[0] is None else (seen[0], seen[1], seen[2], seen[3]))
    if now == tuple(seen):
        return
    first_ns, last_ns, first_release, last_release = now
    sample = group[0]
    values = sample.version, rows.inputs_text(sample), first_ns, first_release, last_ns, last_release, key
    change.connection.execute(statement("update_key"), values)
    if (first_ns, first_release) != (seen[0], seen[2]):
        change.changed = True
        change.touched.add(known[1])


def _extent(group: list[Sighting], before: tuple[int, int, str, str] | None) -> tuple[int, int, str, str]:
    """Return first and last time of a key, and the releases of these occurrences."""
    first = min((seen.first_ns, seen.release) for seen in group)
    last = max((seen.last_ns, seen.release) for seen in group)
    if before is not None:
        first = min(first, (before[0], before[2]))
        last = max(last, (before[1], before[3]))
    return first[0], last[0], first[1], last[1]


def _description(seen: Sighting) -> tuple[Any, ...]:
    return seen.first_ns, seen.title, seen.type, seen.message, seen.culprit


def _describe(change: Transaction, issue: Sequence[Any], group: list[Sighting]) -> None:
    """Let the earliest sighting describe the issue, whenever it comes."""
    earliest = min(map(_description, group))
    if not issue[rows.IS_OVERFLOW] and earliest < tuple(issue[rows.DESCRIPTION]):
        sql = "UPDATE issues SET described_ns = ?, title = ?, type = ?, message = ?, culprit = ? WHERE number = ?"
        change.write(sql, *earliest, issue[rows.NUMBER])
        change.touched.add(issue[rows.NUMBER])


def _reopen(change: Transaction, issue: Sequence[Any], group: list[Sighting]) -> None:
    """Let a resolved issue regress, if these sightings say so."""
    if issue[rows.STATE] != State.RESOLVED:
        return
    status, named = rows.status_of(issue), (issue[rows.NUMBER], issue[rows.ID], issue[rows.SERVICE])
    back = [seen for seen in group if _is_back(change, status.resolution, seen)]
    if back:
        first = min(back, key=lambda seen: (seen.last_ns, seen.release, seen.environment))
        change.set_status(named[0], Status(State.REGRESSED, status.resolution), AUTOMATIC, first.release)
        change.tell(EventKind.REGRESSION, named, (first.release, first.environment), detail(status))


def _is_back(change: Transaction, resolution: Resolution | None, seen: Sighting) -> bool:
    return resolution is not None and regresses(resolution, seen.last_ns, seen.release, change.releases(seen.service))


class _Newcomers:
    """Makes issues of keys that were not known, many at once."""

    def __init__(self, change: Transaction, max_issues: int) -> None:
        self._change = change
        self._max_issues = max_issues
        self._last: dict[str, int] = {}

    def add(self, groups: list[list[Sighting]]) -> None:
        if not groups:
            return
        change = self._change
        issues, keys = [], []
        for number, group in enumerate(groups, change.next_number("issues")):
            first = min(group, key=_description)
            is_overflow = first.key == overflow_key(first.service)
            issue_id = self._next_id(first.service, is_overflow=is_overflow)
            described = self._overflow(first) if is_overflow else _description(first)
            issues.append((number, issue_id, first.service, is_overflow, *described))
            first_ns, last_ns, *releases = _extent(group, None)
            keys.append((first.key, number, first.version, rows.inputs_text(first), first_ns, last_ns, *releases))
            change.new_keys[first.key] = first.service
            if not is_overflow:
                change.new_issues.append((first.service, first.key))
        change.write_many(statement("insert_issue"), issues)
        change.write_many(statement("insert_key"), keys)
        change.write_many("INSERT OR REPLACE INTO prefixes VALUES (?, ?)", self._last.items())
        for (number, issue_id, service, _, _, title, *_), group in zip(issues, groups, strict=True):
            first = min(group, key=_description)
            change.log(number, AUTOMATIC, ActivityKind.CREATED, after=State.NEW)
            named = number, issue_id, service
            change.tell(EventKind.NEW_ISSUE, named, (first.release, first.environment), title)

    def _overflow(self, first: Sighting) -> tuple[Any, ...]:
        return first.first_ns, overflow_title(first.service, self._max_issues), "", "", ""

    def _next_id(self, service: str, *, is_overflow: bool) -> str:
        """Return an id that no issue ever had: services may share a prefix."""
        prefix = id_prefix(service)
        if is_overflow:
            prefix += "-OVERFLOW"
            if self._is_free(prefix):
                return prefix
        while True:
            last = self._last.get(prefix)
            if last is None:
                row = self._change.row("SELECT last FROM prefixes WHERE prefix = ?", prefix)
                last = row[0] if row else 0
            self._last[prefix] = last + 1
            if self._is_free(issue_id := f"{prefix}-{last + 1}"):
                return issue_id

    def _is_free(self, issue_id: str) -> bool:
        return self._change.row("SELECT 1 FROM issues WHERE id = ?", issue_id) is None
