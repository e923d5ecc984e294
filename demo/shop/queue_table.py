"""A durable queue in an SQLite table: at-least-once, in order, with leases.

Statements go through `Connection.execute`, which the SQLite instrumentation leaves alone: a worker that polls an
empty queue would otherwise fill the traces. The spans of sending and processing are made in `messaging`.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

LEASE_S = 30.0
"""A message that is taken and not finished within this time is given out again: its worker has died."""

MAX_ATTEMPTS = 5
"""After so many attempts a message is left alone and kept for a person to see."""

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    sent_s REAL NOT NULL,
    leased_until_s REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0
)
"""
SEND = "INSERT INTO messages (id, headers, body, sent_s) VALUES (?, ?, ?, ?)"
TAKE = """
UPDATE messages SET leased_until_s = :now + :lease, attempts = attempts + 1
WHERE position = (SELECT min(position) FROM messages WHERE leased_until_s <= :now AND attempts < :max)
RETURNING id, headers, body, sent_s, attempts
"""
FINISH = "DELETE FROM messages WHERE id = ?"
RELEASE = "UPDATE messages SET leased_until_s = ? WHERE id = ?"
LENGTH = "SELECT count(*) FROM messages WHERE attempts < ?"


@dataclass(frozen=True)
class Message:
    """One message: its headers carry the trace context, `sent_s` is Unix time in seconds."""

    id: str
    headers: dict[str, str]
    body: dict[str, Any]
    sent_s: float
    attempts: int


class Queue:
    """The queue `name` in the database at `path`; any number of processes may open it. `clock_s` gives Unix time."""

    def __init__(self, path: Path, name: str, clock_s: Callable[[], float]) -> None:
        self.name = name
        self._path = path
        self._clock_s = clock_s
        with self._open() as connection:
            connection.executescript(SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # Autocommit: each method is one statement, so each is one transaction by itself.
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as connection:
            yield connection

    def send(self, message_id: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        """Store a message. It survives the end of both processes."""
        row = (message_id, json.dumps(dict(headers)), json.dumps(dict(body)), self._clock_s())
        with self._open() as connection:
            connection.execute(SEND, row)

    def take(self) -> Message | None:
        """Take the oldest message that nobody holds, or None. It comes back after LEASE_S unless it is finished."""
        values = {"now": self._clock_s(), "lease": LEASE_S, "max": MAX_ATTEMPTS}
        with self._open() as connection:
            row = connection.execute(TAKE, values).fetchone()
        if row is None:
            return None
        message_id, headers, body, sent_s, attempts = row
        return Message(message_id, json.loads(headers), json.loads(body), sent_s, attempts)

    def finish(self, message: Message) -> None:
        """Remove a message that has been worked on."""
        with self._open() as connection:
            connection.execute(FINISH, (message.id,))

    def release(self, message: Message) -> None:
        """Give a message back after an attempt that failed: free again in a second for each attempt so far."""
        with self._open() as connection:
            connection.execute(RELEASE, (self._clock_s() + message.attempts, message.id))

    def length(self) -> int:
        """Count the messages that wait or are being worked on, without those given up."""
        with self._open() as connection:
            (count,) = connection.execute(LENGTH, (MAX_ATTEMPTS,)).fetchone()
        return int(count)


def new_id() -> str:
    """Return an id for a message."""
    return uuid.uuid4().hex
