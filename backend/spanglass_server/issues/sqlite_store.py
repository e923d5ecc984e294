"""The issue store in one SQLite file of the data directory.

A change is one transaction with ``synchronous=FULL``, as those of the catalog are (docs/adr/0008).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spanglass_server.issues.sqlite import carrying, changing, forest, observing, reading, rules
from spanglass_server.issues.sqlite.database import Database
from spanglass_server.issues.sqlite.places import Places
from spanglass_server.issues.sqlite.snapshots import Snapshots
from spanglass_server.issues.sqlite.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.issues.model import (
        Comment,
        Due,
        Event,
        Issue,
        IssueChange,
        Merge,
        Move,
        Release,
        ReleaseSighting,
        RuleRecord,
        RuleSet,
        Sighting,
        Snapshot,
    )
    from spanglass_server.issues.states import IgnoredCounts

FILE_NAME = "issues.sqlite"


class SqliteIssueStore:
    """An ``IssueStore`` in one SQLite file; ``max_issues`` bounds the issues of each service."""

    def __init__(self, path: Path, max_issues: int) -> None:
        self._max_issues = max_issues
        self._database = Database(path)
        try:
            with self._database.read() as connection:
                self._places = Places(connection, max_issues)
                self._snapshots = Snapshots(connection)
        except BaseException:
            self._database.close()
            raise

    @contextmanager
    def _change(self, now_ns: int = 0) -> Iterator[Transaction]:
        with self._database.write() as connection:
            change = Transaction(connection, now_ns)
            yield change
            version = change.finish()
            self._snapshots.expect(change, version)
        self._places.take(change)
        self._snapshots.commit(version)

    def observe(self, sightings: Sequence[Sighting], now_ns: int) -> list[Event]:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            observing.observe(change, sightings, self._max_issues)
        return change.events

    def observe_releases(self, sightings: Sequence[ReleaseSighting]) -> None:
        """See ``IssueStore``."""
        with self._change() as change:
            observing.observe_releases(change, sightings)

    def releases(self, service: str) -> list[Release]:
        """See ``IssueStore``."""
        with self._database.read() as connection:
            return reading.releases(connection, service)

    def route(self, key: int, service: str) -> int:
        """See ``IssueStore``."""
        return self._places.route(key, service)

    def version(self) -> int:
        """See ``IssueStore``."""
        return self._snapshots.version

    def snapshot(self) -> Snapshot:
        """See ``IssueStore``."""
        return self._snapshots.newest(self._database)

    def issue(self, issue_id: str) -> Issue:
        """See ``IssueStore``."""
        with self._database.read() as connection:
            return reading.issue(connection, issue_id)

    def change(self, issue_ids: Sequence[str], change: IssueChange, actor: str, now_ns: int) -> None:
        """See ``IssueStore``."""
        with self._change(now_ns) as transaction:
            changing.apply(transaction, issue_ids, change, actor)

    def comment(self, issue_id: str, text: str, actor: str, now_ns: int) -> Comment:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            return changing.comment(change, issue_id, text, actor)

    def merge(self, issue_ids: Sequence[str], into: str, actor: str, now_ns: int) -> list[Merge]:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            return forest.merge(change, issue_ids, into, actor)

    def unmerge(self, merge_ids: Sequence[int], actor: str, now_ns: int) -> None:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            forest.unmerge(change, merge_ids, actor)

    def unmerge_keys(self, issue_id: str, keys: Sequence[int], actor: str, now_ns: int) -> None:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            forest.unmerge_keys(change, issue_id, keys, actor)

    def carry(self, moves: Sequence[Move], actor: str, now_ns: int) -> None:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            carrying.carry(change, moves, actor)

    def rules(self) -> RuleSet:
        """See ``IssueStore``."""
        with self._database.read() as connection:
            return reading.rules(connection)

    def add_rule(self, body: Mapping[str, Any], actor: str, now_ns: int) -> RuleRecord:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            return rules.add(change, body, actor)

    def delete_rule(self, rule_id: int, actor: str, now_ns: int) -> None:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            rules.delete(change, rule_id, actor)

    def events(self, after: int = 0, limit: int = 1000) -> list[Event]:
        """See ``IssueStore``."""
        with self._database.read() as connection:
            return reading.events(connection, after, limit)

    def due(self) -> list[Due]:
        """See ``IssueStore``."""
        return reading.due(self.snapshot())

    def apply_counts(self, counts: Mapping[str, IgnoredCounts], now_ns: int) -> list[Event]:
        """See ``IssueStore``."""
        with self._change(now_ns) as change:
            changing.end_ignoring(change, counts)
        return change.events

    def close(self) -> None:
        """See ``IssueStore``."""
        self._database.close()
