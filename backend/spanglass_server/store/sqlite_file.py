"""A SQLite file that keeps what nothing can derive again: opened, brought to the newest schema, read and changed.

The issue store and the alert store are such files. A change is one transaction with ``synchronous=FULL``, durable when
it returns (docs/adr/0008).
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")

#: How long the log beside a file grows before its changes are taken over into the file, and the file's pages in bytes.
#: By SQLite's default of 1000 pages, and without an end for what a large change left, the logs of a server's files
#: took 14 MB after a million spans.
_LOG_PAGES, _PAGE_BYTES = 32, 4096
_LOG_BYTES = _LOG_PAGES * _PAGE_BYTES  # of what a large change left of it so much stays
_LOG = "-wal"


@dataclass(frozen=True, slots=True)
class Wording:
    """What messages call the file, what is lost if it is moved away, and the errors that they are raised as."""

    name: str  # the issue store
    lost: str
    newer: type[Exception]
    damaged: type[Exception]


class SqliteFile:
    """One connection that writes and one that reads what was committed, without waiting for the other's sync.

    ``schemas`` are scripts, each of which adds to the one before; their number is the version that this server writes.
    """

    def __init__(self, path: Path, schemas: Sequence[str], wording: Wording) -> None:
        self._path = path
        self._schemas = schemas
        self._wording = wording
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self.commits = 0  # since the file was opened
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
            write_ahead(connection)
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self) -> None:
        version, newest = self._writer.execute("PRAGMA user_version").fetchone()[0], len(self._schemas)
        if version < newest:
            missing = "".join(self._schemas[version:])
            self._writer.executescript(f"BEGIN; {missing} PRAGMA user_version = {newest}; COMMIT;")
        elif version > newest:
            raise self._wording.newer(
                f"the data directory has version {version} of {self._wording.name}, this server knows {newest}: "
                "start the newer server that wrote it, or choose another data directory"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says of an unreadable file into words of ours."""
        try:
            yield
        except sqlite3.OperationalError as error:  # its file can't be opened, read or locked, or a table is missing
            raise OSError(f"{self._wording.name} {self._path} can't be read: {error}") from error
        except sqlite3.DatabaseError as error:
            raise self._wording.damaged(
                f"{self._wording.name} {self._path} is damaged ({error}): restore it from a backup of the data "
                f"directory, or move it away and start anew: {self._wording.lost}"
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
                self.commits += 1
            except BaseException as error:
                _roll_back(self._writer)
                if isinstance(error, sqlite3.Error):
                    raise OSError(f"{self._wording.name} could not be written: {error}") from error
                raise

    def close(self) -> None:
        """Release the file."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()


class Kept(Generic[T]):
    """What is read of a file, read anew only after a change. ``now`` may be called from any thread."""

    def __init__(self, file: SqliteFile, read: Callable[[sqlite3.Connection], T]) -> None:
        self._file = file
        self._read = read
        self._found: tuple[int, T] | None = None

    def now(self) -> T:
        """Return what was committed; ``OSError``. Change nothing in it."""
        version = self._file.commits
        if self._found is None or self._found[0] != version:
            with self._file.read() as connection:
                self._found = version, self._read(connection)
        return self._found[1]


@cache
def read_sql(package: str, name: str) -> str:
    """Read ``sql/<name>.sql`` of a package, which gives its ``__package__``."""
    return (files(package) / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def write_ahead(connection: sqlite3.Connection) -> None:
    """Have each change of a file of ours written ahead to a log beside it, which stays short, and synced."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")


def cut_logs(folder: Path, before_ns: int) -> None:
    """Take over the logs of all files in a folder that were last written before a time, and leave nothing of them.

    By ``_LOG_PAGES`` alone each would stay as long as it ever was. A file that somebody reads or writes just now is
    left for the next time; who wants to write meanwhile waits for a few syncs. Raises ``OSError``.
    """
    for log in sorted(folder.glob(f"*.sqlite{_LOG}")):
        try:
            found = log.stat()
        except FileNotFoundError:  # its file was closed meanwhile
            continue
        if found.st_size and found.st_mtime_ns < before_ns:
            _cut_log(log.with_name(log.name.removesuffix(_LOG)))


def _cut_log(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=0, uri=True)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise OSError(f"the log of {path} can't be taken over: {error}") from error


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
