"""The file of policies: what people decided, what was seen of segments, and bounds of slow traces by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.retention.model import ChangedMeanwhileError, RetentionStoreError, Version
from spanglass_server.store.sqlite_file import Kept, SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

FILE_NAME: Final = "retention.sqlite"
_WORDING: Final = Wording(
    "the store of retention policies",
    "the policies are lost, and all traces have one age",
    RetentionStoreError,
    RetentionStoreError,
)
_MOST_VERSIONS: Final = 500
_ID_BYTES: Final = 16
_PUT_VERSION: Final = "INSERT INTO versions (time_ns, actor, note, text) VALUES (?, ?, ?, ?)"
_OLD_VERSIONS: Final = "DELETE FROM versions WHERE number <= (SELECT max(number) FROM versions) - ?"
_VERSIONS: Final = "SELECT number, time_ns, actor, note, text FROM versions ORDER BY number DESC LIMIT ?"
_PUT_LOOK: Final = "INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?)"
_LOOKS: Final = "SELECT segment, digest, next_ns, others, kept, held FROM looks"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a segment by policies of a digest: rows of traces that these keep, and of ``others``.

    It is looked at again at ``next_ns``, and when a trace in ``held``, pinned or evidence, is that no more.
    """

    digest: str
    next_ns: int
    others: int
    kept: int
    held: frozenset[bytes]


class RetentionStore:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, [read_sql(__package__, "schema_1")], _WORDING)
        self._newest = Kept(self._file, _newest)
        with self._file.read() as connection:
            self._looks = {row[0]: _look(row) for row in connection.execute(_LOOKS)}

    def newest(self) -> Version | None:
        """The policies in force; None while nobody said anything."""
        return self._newest.now()

    def versions(self, limit: int) -> Sequence[Version]:
        """What was changed, the newest first."""
        with self._file.read() as connection:
            return [Version(*row) for row in connection.execute(_VERSIONS, (limit,))]

    def add(self, version: Version, after: int) -> None:
        """Have other policies in force, if those of number ``after`` still are; ``ChangedMeanwhileError``."""
        with self._file.write() as connection:
            newest = _newest(connection)
            if after != (newest.number if newest else 0):
                raise ChangedMeanwhileError("somebody else changed the policies meanwhile")
            connection.execute(_PUT_VERSION, (version.time_ns, version.actor, version.note, version.text))
            connection.execute(_OLD_VERSIONS, (_MOST_VERSIONS,))

    def looks(self) -> Mapping[int, Look]:
        """What was seen of segments, by their ids."""
        return self._looks

    def note(self, segment: int, look: Look) -> None:
        """Keep what was seen of a segment."""
        held = b"".join(sorted(look.held))
        with self._file.write() as connection:
            connection.execute(_PUT_LOOK, (segment, look.digest, look.next_ns, look.others, look.kept, held))
        self._looks = {**self._looks, segment: look}

    def forget(self, segments: Collection[int]) -> None:
        """Forget what was seen of segments."""
        if segments:
            with self._file.write() as connection:
                connection.executemany("DELETE FROM looks WHERE segment = ?", [(number,) for number in segments])
            self._looks = {number: look for number, look in self._looks.items() if number not in segments}

    def bounds(self, day: int) -> Sequence[tuple[str, str, int]] | None:
        """Bounds of slow traces of a day by service and operation, in nanoseconds; None where there are none yet."""
        with self._file.read() as connection:
            if connection.execute("SELECT 1 FROM bound_days WHERE day = ?", (day,)).fetchone() is None:
                return None
            return connection.execute("SELECT service, name, bound_ns FROM bounds WHERE day = ?", (day,)).fetchall()

    def keep_bounds(self, day: int, bounds: Sequence[tuple[str, str, int]], forget_before: int) -> None:
        """Keep the bounds of a day, and forget those of days before another."""
        with self._file.write() as connection:
            connection.execute("INSERT OR IGNORE INTO bound_days VALUES (?)", (day,))
            connection.executemany("INSERT OR REPLACE INTO bounds VALUES (?, ?, ?, ?)", [(day, *row) for row in bounds])
            for table in ("bounds", "bound_days"):
                connection.execute(f"DELETE FROM {table} WHERE day < ?", (forget_before,))  # noqa: S608 - constants

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _newest(connection: sqlite3.Connection) -> Version | None:
    row = connection.execute(_VERSIONS, (1,)).fetchone()
    return None if row is None else Version(*row)


def _look(row: tuple[int, str, int, int, int, bytes]) -> Look:
    _, digest, next_ns, others, kept, held = row
    ids = frozenset(held[at : at + _ID_BYTES] for at in range(0, len(held), _ID_BYTES))
    return Look(digest, next_ns, others, kept, ids)
