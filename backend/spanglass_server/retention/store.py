"""The file of policies: what people decided, what was seen of segments, and bounds of slow traces by day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.forms.errors import ConflictError
from spanglass_server.retention.model import RetentionStoreError, Version
from spanglass_server.store.sqlite_file import Kept, SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.retention.model import Policy

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
_MOST_TAKEN: Final = 1_000_000
_TAKEN: Final = "SELECT traces FROM taken WHERE policy = ? AND first_ns <= ? AND last_ns >= ?"
_SURPLUS_TAKEN: Final = (
    "DELETE FROM taken WHERE number IN (SELECT number FROM "
    "(SELECT number, sum(length(traces)) OVER (ORDER BY number DESC) AS upto FROM taken) WHERE upto > ?)"
)
_KNOWN: Final = "SELECT day FROM bound_days WHERE day IN (SELECT value FROM json_each(?))"
_BOUNDS: Final = "SELECT day, service, name, bound_ns FROM bounds WHERE day IN (SELECT value FROM json_each(?))"
_FIRST_DAY: Final = "SELECT day FROM bound_days ORDER BY day DESC LIMIT 1 OFFSET ?"
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


@dataclass(frozen=True, slots=True)
class Taken:
    """Traces that a policy, see ``taken_by``, took out of a segment with spans from ``first_ns`` to ``last_ns``."""

    policy: str
    first_ns: int
    last_ns: int
    traces: Collection[bytes]


def taken_by(policy: Policy) -> str:
    """What tells a policy by the traces that it names, whatever it is called and how old they become."""
    return repr((policy.keep, sorted(policy.services), policy.filter, policy.slower_than))


class RetentionStore:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    #: Why the file can't be used.
    problem: str | None = None

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, [read_sql(__package__, name) for name in ("schema_1", "schema_2")], _WORDING)
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
        """Have other policies in force, if those of number ``after`` still are; ``ConflictError``."""
        with self._file.write() as connection:
            newest = _newest(connection)
            current = newest.number if newest else 0
            if after != current:
                raise ConflictError("the list of policies", str(current))
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

    def take(self, taken: Taken) -> None:
        """Keep traces that a policy took; of a million at most, the last ones."""
        row = taken.policy, taken.first_ns, taken.last_ns, b"".join(sorted(taken.traces))
        with self._file.write() as connection:
            connection.execute("INSERT INTO taken (policy, first_ns, last_ns, traces) VALUES (?, ?, ?, ?)", row)
            connection.execute(_SURPLUS_TAKEN, (_MOST_TAKEN * _ID_BYTES,))

    def taken(self, policy: str, first_ns: int, last_ns: int) -> frozenset[bytes]:
        """Traces that a policy took out of segments with spans in a range."""
        with self._file.read() as connection:
            rows = connection.execute(_TAKEN, (policy, last_ns, first_ns)).fetchall()
        return frozenset().union(*(_ids(row[0]) for row in rows))

    def forget_taken(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Forget those of segments near which there is none any more, by where they have spans."""
        with self._file.read() as connection:
            rows = connection.execute("SELECT number, first_ns, last_ns FROM taken").fetchall()
        gone = [
            (number,)
            for number, first, last in rows
            if not any(first <= end_ns and start_ns <= last for start_ns, end_ns in ranges)
        ]
        if gone:
            with self._file.write() as connection:
                connection.executemany("DELETE FROM taken WHERE number = ?", gone)

    def bounds_of(self, days: Sequence[int]) -> dict[int, Sequence[tuple[str, str, int]]]:
        """Bounds of those of some days that have been measured."""
        wanted = (json.dumps(list(days)),)
        with self._file.read() as connection:
            known: dict[int, list[tuple[str, str, int]]] = {day: [] for (day,) in connection.execute(_KNOWN, wanted)}
            for day, *row in connection.execute(_BOUNDS, wanted):
                known[day].append((row[0], row[1], row[2]))
        return dict(known)

    def first_bound_day(self, most: int) -> int:
        """The first day of which bounds can be kept where they are kept of so many at most; 0 while there are fewer."""
        with self._file.read() as connection:
            found = connection.execute(_FIRST_DAY, (most - 1,)).fetchone()
        return 0 if found is None else int(found[0])

    def keep_bounds(self, bounds: Mapping[int, Sequence[tuple[str, str, int]]], most: int) -> None:
        """Keep the bounds of days, and of so many days at most: the newest ones."""
        rows = [(day, *row) for day, found in bounds.items() for row in found]
        with self._file.write() as connection:
            connection.executemany("INSERT OR IGNORE INTO bound_days VALUES (?)", [(day,) for day in bounds])
            connection.executemany("INSERT OR REPLACE INTO bounds VALUES (?, ?, ?, ?)", rows)
            first = connection.execute(_FIRST_DAY, (most - 1,)).fetchone()
            if first is not None:
                for table in ("bounds", "bound_days"):
                    connection.execute(f"DELETE FROM {table} WHERE day < ?", first)  # noqa: S608 - constants

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class UnreadableStore(RetentionStore):
    """Stands for a file that can't be used: holds nothing, and nothing can be changed in it."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def newest(self) -> Version | None:
        """See ``RetentionStore``."""
        return None

    def versions(self, _limit: int) -> Sequence[Version]:
        """See ``RetentionStore``."""
        return ()

    def add(self, _version: Version, _after: int) -> None:
        """See ``RetentionStore``."""
        raise OSError(self.problem)

    def looks(self) -> Mapping[int, Look]:
        """See ``RetentionStore``."""
        return {}

    def bounds_of(self, _days: Sequence[int]) -> dict[int, Sequence[tuple[str, str, int]]]:
        """See ``RetentionStore``."""
        return {}

    def close(self) -> None:
        """See ``RetentionStore``."""


def _newest(connection: sqlite3.Connection) -> Version | None:
    row = connection.execute(_VERSIONS, (1,)).fetchone()
    return None if row is None else Version(*row)


def _look(row: tuple[int, str, int, int, int, bytes]) -> Look:
    _, digest, next_ns, others, kept, held = row
    return Look(digest, next_ns, others, kept, _ids(held))


def _ids(joined: bytes) -> frozenset[bytes]:
    return frozenset(joined[at : at + _ID_BYTES] for at in range(0, len(joined), _ID_BYTES))
