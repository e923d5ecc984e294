"""Changes of the notification store's tables within one transaction."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.model import State
from spanglass_server.notifications.store import rows
from spanglass_server.notifications.store.outcomes import Standing, after, again

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.notifications.model import Attempt, Notification
    from spanglass_server.notifications.ports import Tried

# ruff: noqa: S608 - texts of SQL are put together of our own tables and columns; values are bound

_STANDING = "state, attempts, next_ns, done_ns, error, reference, begun_ns"
_ONE = f"SELECT number, channel, {_STANDING} FROM deliveries WHERE id = ?"
_UPDATE = (
    f"UPDATE deliveries SET ({_STANDING}, digest) = (?, ?, ?, ?, ?, ?, ?, ?), "
    "untold = ? AND (reason = 'digest' OR EXISTS (SELECT 1 FROM alerts_of_deliveries WHERE delivery = number)) "
    "WHERE number = ?"
)


class Change:
    """One change under way."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put_rows(self, table: str, changed: Mapping[str, Any]) -> None:
        """Put rows of JSON by key; None takes one away."""
        gone = [(key,) for key, row in changed.items() if row is None]
        kept = [(key, json.dumps(row, ensure_ascii=False)) for key, row in changed.items() if row is not None]
        self._connection.executemany(f"DELETE FROM {table} WHERE key = ?", gone)
        self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", kept)

    def add(self, notifications: Iterable[Notification]) -> None:
        """Have notifications wait; one whose id is known is left as it is."""
        for notification in notifications:
            added = self._connection.execute(rows.INSERT_DELIVERY, rows.delivery_values(notification))
            if added.rowcount == 1:
                self._connection.executemany(
                    "INSERT OR IGNORE INTO alerts_of_deliveries VALUES (?, ?)",
                    [(alert.id, added.lastrowid) for alert in notification.alerts],
                )

    def log(self, tried: Tried) -> None:
        """Log what became of a delivery; nothing of one that was purged meanwhile."""
        row = self._connection.execute(_ONE, (tried.notification_id,)).fetchone()
        if row is not None:
            number, channel, before = _standing(row)
            self._update(number, after(before, tried), tried.digest)
            if tried.attempt is not None:
                self._log_attempt(number, channel, tried.attempt)
        self.add(tried.follow_ups)

    def _update(self, number: int, now: Standing, digest: str) -> None:
        is_done = now.state is not State.WAITING
        self._connection.execute(_UPDATE, [*astuple(now), digest, is_done, number])

    def _log_attempt(self, number: int, channel: str, attempt: Attempt) -> None:
        self._connection.execute(rows.INSERT_ATTEMPT, [number, *rows.attempt_values(attempt)])
        ended_ns = attempt.started_ns + attempt.latency_ns
        self._connection.execute(
            "INSERT OR REPLACE INTO channels VALUES (?, ?, ?)", (channel, ended_ns, attempt.outcome.error)
        )

    def again(self, notification_id: str, now_ns: int) -> None:
        """Have a delivery wait anew; ``KeyError``, ``ValueError``."""
        row = self._connection.execute(_ONE, (notification_id,)).fetchone()
        if row is None:
            raise KeyError(notification_id)
        number, _, before = _standing(row)
        self._update(number, again(before, now_ns), "")


def _standing(row: Sequence[Any]) -> tuple[int, str, Standing]:
    number, channel, state, *rest = row
    return number, channel, Standing(State(state), *rest)
