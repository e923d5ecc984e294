"""Issues follow their occurrences when these get other keys by regrouping."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from spanglass_server.issues.model import ActivityKind
from spanglass_server.issues.sqlite.forest import join, root, unmerge
from spanglass_server.issues.states import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.issues.model import Move
    from spanglass_server.issues.sqlite.transaction import Transaction


class _Claim(NamedTuple):
    """A key whose occurrences mostly went to a new one."""

    moved: int
    old_key: int
    issue: int  # of the old key


def carry(change: Transaction, moves: Sequence[Move], actor: str) -> None:
    """See ``IssueStore.carry``."""
    by_old: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for move in moves:
        if move.count > 0:
            by_old[move.old_key][move.new_key] += move.count
    carrier = _Carrier(change, actor)
    claims: dict[int, list[_Claim]] = defaultdict(list)
    for old_key, counts in sorted(by_old.items()):
        home = carrier.home(old_key)
        if home is None or carrier.is_overflow(home):
            continue
        apart = carrier.take_apart(home, counts)
        heir, count = max(counts.items(), key=lambda item: (item[1], item[0]))
        if heir != old_key and 2 * count > sum(counts.values()) and carrier.home(heir) not in apart:
            claims[heir].append(_Claim(count, old_key, home))
    for key, claimants in sorted(claims.items()):
        carrier.give(key, sorted(claimants, reverse=True))


class _Carrier:
    """Carries within one transaction."""

    def __init__(self, change: Transaction, actor: str) -> None:
        self._change = change
        self._actor = actor

    def home(self, key: int) -> int | None:
        """Return the issue that a key is of, without what it is merged into."""
        row = self._change.row("SELECT issue FROM keys WHERE key = ?", key)
        return None if row is None else int(row[0])

    def is_overflow(self, issue: int) -> bool:
        """Whether an issue takes what a full service has no room for."""
        return bool(self._change.row("SELECT is_overflow FROM issues WHERE number = ?", issue)[0])

    def take_apart(self, home: int, new_keys: dict[int, int]) -> set[int]:
        """Undo merges that an earlier regrouping made, if this one parts what they joined; give the parted issues."""
        connection = self._change.connection
        holder = root(connection, home)
        homes = {issue for key in new_keys if (issue := self.home(key)) is not None}
        parted = {issue for issue in homes if root(connection, issue) == holder}
        sql = "SELECT id FROM merges WHERE issue = ? AND by_regrouping AND undone_ns IS NULL"
        merges = [row[0] for issue in sorted(parted) if (row := self._change.row(sql, issue))]
        if len(parted) < 2 or not merges:  # noqa: PLR2004 - one thing can't be parted
            return set()
        unmerge(self._change, merges, self._actor)
        return parted

    def give(self, key: int, claims: list[_Claim]) -> None:
        """Return a key to the claim with most occurrences, and merge the others into that issue."""
        home = self.home(key)
        if home is None:
            home = claims[0].issue
            self._add_key(key, home, claims[0].old_key)
        elif self.is_overflow(home):
            return
        connection = self._change.connection
        keeper = root(connection, home)
        if home not in {claim.issue for claim in claims} and self._is_untouched(keeper):
            keeper = root(connection, claims[0].issue)
            self._join(root(connection, home), keeper)
        for claim in claims:
            self._join(root(connection, claim.issue), keeper)

    def _is_untouched(self, issue: int) -> bool:
        state, assignee = self._change.row("SELECT state, assignee FROM issues WHERE number = ?", issue)
        return state == State.NEW and not assignee

    def _join(self, source: int, target: int) -> None:
        if source != target:
            join(self._change, source, target, self._actor, by_regrouping=True)

    def _add_key(self, key: int, issue: int, old_key: int) -> None:
        self._change.write(
            "INSERT INTO keys (key, issue, settled_ns) VALUES (?, ?, ?)", key, issue, self._change.now_ns
        )
        service = self._change.row("SELECT service FROM issues WHERE number = ?", issue)[0]
        self._change.new_keys[key] = service
        self._change.log(issue, self._actor, ActivityKind.CARRIED, str(old_key), str(key))
