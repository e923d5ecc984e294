"""Since when subjects are as they are, across restarts, and every change of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from spanglass_server.health.model import Change, Kept, Status

if TYPE_CHECKING:
    from spanglass_server.health.store.sqlite import HealthStore

_SAVE_EVERY_NS: Final = 10 * 10**9
#: Nothing that was not noted for so long was watched.
_UNSEEN_NS: Final = 90 * 10**9


class Ledger:
    """Notes statuses; ``save`` stores them. Safe for any thread."""

    def __init__(self, store: HealthStore) -> None:
        self._store = store
        self._before = dict(store.kept())  # of before the start, until a subject is noted again
        self._standing: dict[str, Kept] = {}
        self._changes: list[Change] = []
        self._gone: set[str] = set()  # dropped, and not noted again
        self._saved_ns = 0
        self._lock = threading.Lock()

    def note(self, subject: str, status: Status, detail: str, now_ns: int, since_ns: int = 0) -> int:
        """Note how a subject is; since when it is so. ``since_ns`` is when it changed, where that is known."""
        with self._lock:
            self._gone.discard(subject)
            before = self._standing.get(subject) or self._from_before(subject, now_ns)
            if before is None:
                before = Kept(subject=subject, status=Status.UNKNOWN, since_ns=since_ns or now_ns, seen_ns=now_ns)
            if status is not before.status:
                at_ns = min(now_ns, max(since_ns, before.since_ns)) if since_ns else now_ns
                self._changes.append(_change(before, status, detail, at_ns))
                before = Kept(subject=subject, status=status, since_ns=at_ns, seen_ns=now_ns)
            self._standing[subject] = Kept(
                subject=subject, status=status, since_ns=before.since_ns, seen_ns=now_ns, detail=detail
            )
            return before.since_ns

    def drop(self, subject: str, detail: str, now_ns: int) -> None:
        """A subject is no more."""
        with self._lock:
            before = self._standing.pop(subject, None)
            self._gone.add(subject)
            if before is not None and before.status is not Status.UNKNOWN:
                self._changes.append(_change(before, Status.UNKNOWN, detail, now_ns))

    def settle(self, others: frozenset[str]) -> None:
        """Let go of subjects of before the start that were not noted since; ``others`` are noted elsewhere.

        What became of them while the server did not run is not known. Raises ``OSError``; then call it again.
        """
        with self._lock:
            gone = [kept for subject, kept in self._before.items() if subject not in others]
        changes = [
            _change(kept, Status.UNKNOWN, "it was not heard of after this server had begun again", kept.seen_ns)
            for kept in gone
            if kept.status is not Status.UNKNOWN
        ]
        self._store.forget([kept.subject for kept in gone])
        self._store.save([], changes)
        with self._lock:
            self._before.clear()

    def save(self, now_ns: int) -> None:
        """Store what changed, and now and then that nothing did. Raises ``OSError``; what was not stored is kept."""
        with self._lock:
            is_due = not 0 <= now_ns - self._saved_ns < _SAVE_EVERY_NS
            if not self._changes and not self._gone and not is_due:
                return
            changes, self._changes = self._changes, []
            gone, self._gone = self._gone, set()
            standing = list(self._standing.values())
        try:
            if gone:  # else they would be taken for subjects that were last seen when this server stopped
                self._store.forget(sorted(gone))
            self._store.save(standing, changes)
        except BaseException:
            with self._lock:
                self._changes = changes + self._changes
                self._gone |= gone - self._standing.keys()
            raise
        self._saved_ns = now_ns

    def _from_before(self, subject: str, now_ns: int) -> Kept | None:
        kept = self._before.pop(subject, None)
        if kept is None or kept.status is Status.UNKNOWN or now_ns - kept.seen_ns <= _UNSEEN_NS:
            return kept
        self._changes.append(_change(kept, Status.UNKNOWN, "this server did not run", kept.seen_ns))
        return Kept(subject=subject, status=Status.UNKNOWN, since_ns=kept.seen_ns, seen_ns=now_ns)


def _change(before: Kept, status: Status, detail: str, time_ns: int) -> Change:
    return Change(subject=before.subject, time_ns=time_ns, status=status, previous=before.status, detail=detail)
