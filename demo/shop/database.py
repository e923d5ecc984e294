"""SQLite, opened the way all services of the shop do it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from shop import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BUSY_TIMEOUT_S = 10.0


@contextmanager
def transaction(name: str) -> Iterator[sqlite3.Connection]:
    """Open the database `name` for one transaction: committed at the end, rolled back on an exception."""
    with closing(sqlite3.connect(layout.state_dir() / f"{name}.db", timeout=BUSY_TIMEOUT_S)) as connection:
        connection.row_factory = sqlite3.Row
        with connection:
            yield connection


def run(
    connection: sqlite3.Connection, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
) -> list[dict[str, Any]]:
    """Run one statement and return its rows as dicts, none for a statement that has none.

    Through a cursor on purpose: the SQLite instrumentation traces cursors, not `Connection.execute`.
    """
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql, parameters)
        return [dict(row) for row in cursor.fetchall()]


def create(name: str, script: str) -> sqlite3.Connection:
    """Make or open the database `name`, in write-ahead mode, and run the schema script. The caller closes it."""
    connection = sqlite3.connect(layout.state_dir() / f"{name}.db", timeout=BUSY_TIMEOUT_S)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + script)
    return connection
