"""The file of the issue store: opened, brought to the newest schema, read and changed in transactions."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from spanglass_server.issues.ports import IssueStoreDamagedError, IssueStoreVersionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What each version of the schema adds to the one before it; the last is the one that this server writes.
_SCHEMAS = ("schema_1",)
SCHEMA_VERSION = len(_SCHEMAS)


@cache
def statement(name: str) -> str:
    """Read ``sql/<name>.sql``."""
    return (files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")


class Database:
    """One connection that writes and one that reads what was committed, without waiting for the other's sync."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing, self._reading = threading.Lock(), threading.Lock()
        with self._explained():
            self._writer = self._open()
            try:
                self._migrate()
                self._reader = self._open()
            except BaseException:
                self._writer.close()
                raise

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self) -> None:
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version < SCHEMA_VERSION:
            missing = "".join(statement(name) for name in _SCHEMAS[version:])
            self._writer.executescript(f"BEGIN; {missing} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version > SCHEMA_VERSION:
            raise IssueStoreVersionError(
                f"the data directory has version {version} of the issue store, this server knows {SCHEMA_VERSION}: "
                "start the newer server that wrote it, or choose another data directory"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says of an unreadable file into words of ours."""
        try:
            yield
        except sqlite3.OperationalError as error:  # its file can't be opened, read or locked, or a table is missing
            raise OSError(f"the issue store {self._path} can't be read: {error}") from error
        except sqlite3.DatabaseError as error:
            raise IssueStoreDamagedError(
                f"the issue store {self._path} is damaged ({error}): restore it from a backup of the data directory, "
                "or move it away and start anew: exceptions are kept, but states, assignments, comments, merges and "
                "grouping rules are lost"
            ) from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Return a connection that sees one moment."""
        with self._reading, self._explained():
            _roll_back(self._reader)
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                _roll_back(self._reader)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Return a connection whose changes are made as a whole when the block ends, or not at all if it raises."""
        with self._writing:
            _roll_back(self._writer)  # what an earlier transaction could not end
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException as error:
                _roll_back(self._writer)
                if isinstance(error, sqlite3.Error):
                    raise OSError(f"the issue store could not be written: {error}") from error
                raise

    def close(self) -> None:
        """Release the file."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
