"""The issue store: names, states, assignments, comments, merges, rules and events, behind one interface.

What it keeps is nobody's copy: unlike occurrences, it can't be derived again, and nothing deletes it by itself. Counts,
users and series are not here: they are asked of stored occurrences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


class IssueStoreError(Exception):
    """The issue store can't be used; the message says what to do."""


class IssueStoreVersionError(IssueStoreError):
    """The issue store was written by a newer version of the server."""


class IssueStoreDamagedError(IssueStoreError):
    """The issue store's file is not what this server or an older one wrote."""


class UnknownIssueError(Exception):
    """There is no issue of that id; the message names it."""


class UnknownRuleError(Exception):
    """There is no grouping rule of that id; the message names it."""


class InvalidChangeError(Exception):
    """A change that makes no sense; the message says why and what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class IssueStore(Protocol):
    """The interface that every issue store keeps; methods may be called from any thread, changes are serialised.

    Every method that changes something is one transaction: durable as a whole when it returns, or it raises and
    nothing is changed (``OSError`` if the disk refuses). An id of an issue that was merged into another stands for the
    other, everywhere.
    """

    def observe(self, sightings: Sequence[Sighting], now_ns: int) -> list[Event]:
        """Take what was derived: new keys become issues, releases are remembered, resolved issues may regress.

        Idempotent: sightings seen before change nothing and give no event, and whatever the order in which batches
        come, the same is known in the end (but for the numbers in ids, and for what people did in between). The
        title, type, message and culprit are those of the earliest sighting. A key is taken even when its service is
        full: its occurrences are stored. Returns the events of this call, which are kept too.
        """

    def observe_releases(self, sightings: Sequence[ReleaseSighting]) -> None:
        """Remember releases that any telemetry told, those without errors too; idempotent."""

    def releases(self, service: str) -> list[Release]:
        """The releases of a service, oldest first, in the order of ``releases.Releases``."""

    def route(self, key: int, service: str) -> int:
        """Return the key to store an occurrence under: its own, or the service's overflow key if the service is full.

        Known keys keep their own. Others do while the service has fewer issues than the limit; the place is held
        until ``observe``, in memory only. Quick: no file is touched.
        """

    def version(self) -> int:
        """A number that rises with every change but that of the last occurrence; quick."""

    def snapshot(self) -> Snapshot:
        """All issues; the same object as long as the version stays."""

    def issue(self, issue_id: str) -> Issue:
        """One issue with everything; raises ``UnknownIssueError``."""

    def change(self, issue_ids: Sequence[str], change: IssueChange, actor: str, now_ns: int) -> None:
        """Change state, assignee or both of issues.

        What is so already is no change. An assignment or a comment makes a new issue ongoing. Raises
        ``UnknownIssueError`` or ``InvalidChangeError``.
        """

    def comment(self, issue_id: str, text: str, actor: str, now_ns: int) -> Comment:
        """Add a comment; raises ``UnknownIssueError``, or ``InvalidChangeError`` without text."""

    def merge(self, issue_ids: Sequence[str], into: str, actor: str, now_ns: int) -> list[Merge]:
        """Make issues of one service one, which keeps id, state and assignee of ``into``.

        Those that are one with it already are left out, and what occurred before does not reopen ``into``. Raises
        ``UnknownIssueError`` or ``InvalidChangeError``.
        """

    def unmerge(self, merge_ids: Sequence[int], actor: str, now_ns: int) -> None:
        """Undo merges, in any order: each issue is itself again, with the state, assignee and comments it had.

        What had been merged into it before goes with it. Merges undone before are left out. Raises
        ``InvalidChangeError`` if there is no such merge.
        """

    def unmerge_keys(self, issue_id: str, keys: Sequence[int], actor: str, now_ns: int) -> None:
        """Undo the merges that brought these keys to an issue.

        Raises ``UnknownIssueError``, or ``InvalidChangeError`` for a key that no merge brought.
        """

    def carry(self, moves: Sequence[Move], actor: str, now_ns: int) -> None:
        """Let issues follow their occurrences to new keys; called once for a whole regrouping, before ``observe``.

        ``moves`` tell all occurrences of each old key, also those that stay. Where more than half of a key's
        occurrences go to one new key, that key is added to the issue. Where several issues go to one key, the one with
        most occurrences gets it and the others are merged into it; where the new key has an issue that somebody acted
        on, the old issue is merged into that. Such merges are undone by ``unmerge``, or by a later regrouping that
        takes the occurrences apart again. Nothing is deleted, and overflow keys neither give nor take.
        """

    def rules(self) -> RuleSet:
        """The grouping rules."""

    def add_rule(self, body: Mapping[str, Any], actor: str, now_ns: int) -> RuleRecord:
        """Add a grouping rule; the body must be valid to the core."""

    def delete_rule(self, rule_id: int, actor: str, now_ns: int) -> None:
        """Let a grouping rule stand no longer; raises ``UnknownRuleError``."""

    def events(self, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events with ids above ``after``, oldest first."""

    def due(self) -> list[Due]:
        """Ignored issues whose condition needs counts of stored occurrences."""

    def apply_counts(self, counts: Mapping[str, IgnoredCounts], now_ns: int) -> list[Event]:
        """End the ignoring of issues whose condition is met by these counts (by issue id), or by the time.

        Returns the events of this call, which are kept too.
        """

    def close(self) -> None:
        """Release the files."""
