"""The notification store in one SQLite file of the data directory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.model import State
from spanglass_server.notifications.ports import Tried
from spanglass_server.notifications.store import rows
from spanglass_server.notifications.store.database import open_file
from spanglass_server.notifications.store.filters import LIMITED, LINKS_NS, LONGEST_PAUSE_NS, TOLD, condition, is_same
from spanglass_server.notifications.store.writing import Change

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spanglass_server.notifications.model import Attempt, Delivery, Notification, Silence
    from spanglass_server.notifications.ports import Decision, DeliveryFilter

FILE_NAME = "notifications.sqlite"

# ruff: noqa: S608 - texts of SQL are put together of our own columns and conditions; values are bound

_DELIVERIES = f"SELECT {rows.DELIVERY_COLUMNS} FROM deliveries"
_HELD = (
    "EXISTS (SELECT 1 FROM deliveries AS earlier WHERE earlier.state = 'waiting' AND earlier.thread = here.thread "
    "AND earlier.channel = here.channel AND earlier.number < here.number AND earlier.not_before_ns <= ?)"
)
_SET_BACK = "next_ns > ? AND next_ns <> not_before_ns"  # by a clock that was set back since


class SqliteNotificationStore:
    """A ``NotificationStore``; the constructor raises ``OSError`` or ``NotificationStoreError``."""

    def __init__(self, path: Path) -> None:
        self._file = open_file(path)

    def cursor(self) -> int:
        """See ``NotificationStore``."""
        with self._file.read() as connection:
            return int(connection.execute("SELECT value FROM facts WHERE name = 'cursor'").fetchone()[0])

    def decide(self, decision: Decision) -> None:
        """See ``NotificationStore``."""
        with self._file.write() as connection:
            change = Change(connection)
            connection.execute("UPDATE facts SET value = ? WHERE name = 'cursor'", (decision.cursor,))
            change.put_rows("groups", decision.groups)
            change.put_rows("escalations", decision.escalations)
            change.add(decision.notifications)

    def groups(self) -> Mapping[str, Any]:
        """See ``NotificationStore``."""
        return self._rows("SELECT key, row FROM groups ORDER BY key")

    def escalations(self) -> Mapping[str, Any]:
        """See ``NotificationStore``."""
        return self._rows("SELECT key, row FROM escalations ORDER BY key")

    def running(self) -> tuple[int, int]:
        """See ``NotificationStore``."""
        with self._file.read() as connection:
            sql = "SELECT (SELECT count(*) FROM groups), (SELECT count(*) FROM escalations)"
            groups, escalations = connection.execute(sql).fetchone()
        return groups, escalations

    def _rows(self, sql: str) -> Mapping[str, Any]:
        with self._file.read() as connection:
            found = connection.execute(sql).fetchall()
        return {key: json.loads(row) for key, row in found}

    def waiting(
        self, now_ns: int, limit: int, without: Sequence[str] = (), but: Sequence[str] = ()
    ) -> Sequence[Delivery]:
        """See ``NotificationStore``."""
        found: list[Delivery] = []
        # two queries, as one with OR would read all that wait
        for due, time_ns in (("next_ns <= ?", now_ns), (_SET_BACK, now_ns + LONGEST_PAUSE_NS)):
            if len(found) < limit:
                sql = (
                    f"{_DELIVERIES} AS here WHERE state = 'waiting' AND {due} "
                    f"AND channel NOT IN ({', '.join('?' * len(without))}) AND id NOT IN ({', '.join('?' * len(but))}) "
                    f"AND NOT {_HELD} ORDER BY next_ns, number LIMIT ?"
                )
                found += self._deliveries(sql, [time_ns, *without, *but, now_ns, limit - len(found)])
        return found

    def _deliveries(self, sql: str, values: Sequence[Any]) -> list[Delivery]:
        with self._file.read() as connection:
            found = connection.execute(sql, values).fetchall()
        return [rows.delivery_of(row) for row in found]

    def enqueue(self, notifications: Sequence[Notification]) -> None:
        """See ``NotificationStore``."""
        with self._file.write() as connection:
            Change(connection).add(notifications)

    def attempted(self, notification_id: str, attempt: Attempt, state: State, next_ns: int) -> None:
        """See ``NotificationStore``."""
        self.log([Tried(notification_id=notification_id, attempt=attempt, state=state, next_ns=next_ns)])

    def log(self, tried: Sequence[Tried]) -> None:
        """See ``NotificationStore``."""
        with self._file.write() as connection:
            change = Change(connection)
            for one in tried:
                change.log(one)

    def record(self, notification: Notification, attempt: Attempt, state: State) -> None:
        """See ``NotificationStore``."""
        with self._file.write() as connection:
            change = Change(connection)
            change.add([notification])
            change.log(Tried(notification_id=notification.id, attempt=attempt, state=state))

    def retry(self, notification_id: str, now_ns: int) -> Delivery:
        """See ``NotificationStore``."""
        with self._file.write() as connection:
            Change(connection).again(notification_id, now_ns)
        return self.delivery(notification_id)

    def sent_since(self, channel: str, since_ns: int) -> int:
        """See ``NotificationStore``."""
        sql = (
            "SELECT count(*) FROM deliveries WHERE state = 'sent' AND channel = ? AND done_ns >= ? "
            f"AND reason IN ({', '.join('?' * len(LIMITED))})"
        )
        with self._file.read() as connection:
            return int(connection.execute(sql, (channel, since_ns, *map(str, LIMITED))).fetchone()[0])

    def digested(self, digest: str) -> Sequence[Delivery]:
        """See ``NotificationStore``."""
        return self._deliveries(f"{_DELIVERIES} WHERE digest = ? AND digest <> '' ORDER BY number", [digest])

    def is_told(self, notification: Notification, channel: str) -> bool:
        """See ``NotificationStore``."""
        states = ", ".join("?" * len(TOLD))
        sql = f"{_DELIVERIES} WHERE channel = ? AND state IN ({states}) AND created_ns = ? AND thread = ?"
        found = self._deliveries(sql, [channel, *map(str, TOLD), notification.created_ns, notification.thread])
        return any(is_same(notification, each.notification) for each in found)

    def untold(self, limit: int) -> Sequence[Delivery]:
        """See ``NotificationStore``."""
        return self._deliveries(f"{_DELIVERIES} WHERE untold ORDER BY number LIMIT ?", [limit])

    def told(self, notification_ids: Sequence[str]) -> None:
        """See ``NotificationStore``."""
        with self._file.write() as connection:
            connection.executemany(
                "UPDATE deliveries SET untold = 0 WHERE id = ?", [(one,) for one in notification_ids]
            )

    def reference(self, thread: str, channel: str) -> str:
        """See ``NotificationStore``."""
        sql = (
            "SELECT reference FROM deliveries WHERE thread = ? AND channel = ? AND reference <> '' "
            "ORDER BY number DESC LIMIT 1"
        )
        with self._file.read() as connection:
            row = connection.execute(sql, (thread, channel)).fetchone()
        return "" if row is None else str(row[0])

    def delivery(self, notification_id: str) -> Delivery:
        """See ``NotificationStore``."""
        found = self._deliveries(f"{_DELIVERIES} WHERE id = ?", [notification_id])
        if not found:
            raise KeyError(notification_id)
        return found[0]

    def deliveries(self, wanted: DeliveryFilter, *, limit: int, after: str = "") -> Sequence[Delivery]:
        """See ``NotificationStore``."""
        where, values = condition(wanted)
        if after:
            where = f"{where} AND number < (SELECT number FROM deliveries WHERE id = ?)"
            values = [*values, after]
        return self._deliveries(f"{_DELIVERIES} WHERE {where} ORDER BY number DESC LIMIT ?", [*values, limit])

    def attempts(self, notification_id: str) -> Sequence[Attempt]:
        """See ``NotificationStore``."""
        sql = (
            f"SELECT {rows.ATTEMPT_COLUMNS} FROM attempts "
            "WHERE delivery = (SELECT number FROM deliveries WHERE id = ?) ORDER BY number"
        )
        with self._file.read() as connection:
            return [rows.attempt_of(row) for row in connection.execute(sql, (notification_id,))]

    def counts(self) -> Mapping[tuple[str, State], int]:
        """See ``NotificationStore``."""
        sql = "SELECT channel, state, count(*) FROM deliveries GROUP BY channel, state"
        with self._file.read() as connection:
            return {(channel, State(state)): count for channel, state, count in connection.execute(sql)}

    def oldest_waiting(self, now_ns: int) -> Mapping[str, int]:
        """See ``NotificationStore``."""
        sql = (
            "SELECT channel, min(created_ns) FROM deliveries WHERE state = 'waiting' AND not_before_ns <= ? "
            "GROUP BY channel"
        )
        with self._file.read() as connection:
            return dict(connection.execute(sql, (now_ns,)).fetchall())

    def last_errors(self) -> Mapping[str, tuple[int, str]]:
        """See ``NotificationStore``."""
        with self._file.read() as connection:
            found = connection.execute("SELECT channel, time_ns, error FROM channels ORDER BY channel").fetchall()
        return {channel: (time_ns, error) for channel, time_ns, error in found}

    def silences(self, *, ended_after_ns: int = 0) -> Sequence[Silence]:
        """See ``NotificationStore``."""
        sql = f"SELECT {rows.SILENCE_COLUMNS} FROM silences WHERE ends_ns > ? ORDER BY ends_ns DESC, id"
        with self._file.read() as connection:
            return [rows.silence_of(row) for row in connection.execute(sql, (ended_after_ns,))]

    def put_silence(self, silence: Silence) -> None:
        """See ``NotificationStore``."""
        sql = f"INSERT OR REPLACE INTO silences ({rows.SILENCE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        with self._file.write() as connection:
            connection.execute(sql, rows.silence_values(silence))

    def is_link_used(self, nonce: str) -> bool:
        """See ``NotificationStore``."""
        with self._file.read() as connection:
            return connection.execute("SELECT 1 FROM links WHERE nonce = ?", (nonce,)).fetchone() is not None

    def use_link(self, nonce: str, now_ns: int) -> bool:
        """See ``NotificationStore``."""
        with self._file.write() as connection:
            return connection.execute("INSERT OR IGNORE INTO links VALUES (?, ?)", (nonce, now_ns)).rowcount == 1

    def purge(self, before_ns: int) -> int:
        """See ``NotificationStore``."""
        with self._file.write() as connection:
            return (
                _deleted(connection, "deliveries WHERE state <> 'waiting' AND done_ns < ?", before_ns)
                + _deleted(connection, "silences WHERE ends_ns < ?", before_ns)
                + _deleted(connection, "links WHERE used_ns < ?", before_ns - LINKS_NS)
            )

    def version(self) -> int:
        """See ``NotificationStore``."""
        return self._file.commits

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _deleted(connection: sqlite3.Connection, what: str, before_ns: int) -> int:
    return connection.execute(f"DELETE FROM {what}", (before_ns,)).rowcount
