"""Counts of objectives, by the hour with its minutes, and what was changed: one SQLite file of the data directory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.slo.counting.minutes import HOUR, Minutes
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

FILE_NAME: Final = "slo.sqlite"
_SCHEMAS: Final = ("schema_1", "schema_2")
#: Of the changes of all objectives so many are kept.
_MOST_CHANGES: Final = 10_000

_PUT_HOUR: Final = "INSERT OR REPLACE INTO hours (key, hour, total, bad, minutes) VALUES (?, ?, ?, ?, ?)"
_PUT_COUNTED: Final = "INSERT OR REPLACE INTO counted (key, first, last, used_ns) VALUES (?, ?, ?, ?)"
_MINUTES: Final = "SELECT hour, minutes FROM hours WHERE key = ? AND hour >= ? AND hour < ? ORDER BY hour"
_HOURS: Final = "SELECT hour, total, bad FROM hours WHERE key = ? AND hour >= ? AND hour < ? ORDER BY hour"
_ADD_CHANGE: Final = "INSERT INTO changes (time_ns, uid, who, kind, before, after) VALUES (?, ?, ?, ?, ?, ?)"
_OLD_CHANGES: Final = "DELETE FROM changes WHERE number <= (SELECT max(number) FROM changes) - ?"
_CHANGES: Final = """
SELECT time_ns, uid, who, kind, before, after FROM changes
WHERE ? = '' OR uid = ? ORDER BY number DESC LIMIT ?
"""


class SloStoreError(Exception):
    """The file is none of this server's, or damaged; says what to do."""


_WORDING: Final = Wording(
    "the store of objectives",
    "objectives are kept, but counts of spans that are deleted by now are lost",
    SloStoreError,
    SloStoreError,
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which minutes of a key were counted: from ``first`` to before ``last``."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class SloChange:
    """A change that somebody made of an objective; ``before`` and ``after`` are YAML, "" for none."""

    time_ns: int
    uid: str
    by: str
    kind: str  # created, changed, deleted
    before: str = ""
    after: str = ""


class SloStore:
    """Methods may be called from any thread. Raises ``OSError`` when the disk can't be used; then nothing changed."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, [read_sql(__package__, name) for name in _SCHEMAS], _WORDING)

    def reaches(self) -> Mapping[str, Reach]:
        """What was counted of each key."""
        with self._file.read() as connection:
            return {key: Reach(first, last) for key, first, last in connection.execute(
                "SELECT key, first, last FROM counted"
            )}  # fmt: skip

    def minutes(self, key: str, first_hour: int, last_hour: int) -> Mapping[int, Minutes]:
        """The minutes of the hours that have any event, by hour."""
        with self._file.read() as connection:
            rows = connection.execute(_MINUTES, (key, first_hour, last_hour)).fetchall()
        return {hour: _unpacked(hour, blob) for hour, blob in rows}

    def hours(self, key: str, first_hour: int, last_hour: int) -> Minutes:
        """The sums of hours, as if each were a minute: ``first`` is the hour."""
        with self._file.read() as connection:
            rows = connection.execute(_HOURS, (key, first_hour, last_hour)).fetchall()
        found = Minutes.none(first_hour, last_hour)
        if rows:
            hour, total, bad = (np.array(column) for column in zip(*rows, strict=True))
            found.total[hour - first_hour] = total
            found.bad[hour - first_hour] = bad
        return found

    def keep(self, counts: Mapping[str, Minutes], reaches: Mapping[str, Reach], now_ns: int) -> None:
        """Keep the counts of whole hours, in the place of those that there are, and what was counted by then."""
        rows = [row for key, minutes in counts.items() for row in _rows(key, minutes)]
        with self._file.write() as connection:
            connection.executemany(_PUT_HOUR, rows)
            connection.executemany(
                _PUT_COUNTED, [(key, reach.first, reach.last, now_ns) for key, reach in reaches.items()]
            )

    def late_looked(self) -> int | None:
        """The minute in which spans that came late were looked for last; None for never."""
        with self._file.read() as connection:
            row = connection.execute("SELECT minute FROM late_looked").fetchone()
        return None if row is None else int(row[0])

    def note_late_looked(self, minute: int) -> None:
        """Note that they were looked for."""
        with self._file.write() as connection:
            connection.execute("INSERT OR REPLACE INTO late_looked (one, minute) VALUES (1, ?)", (minute,))

    def forget(self, used: Collection[str], unused_before_ns: int, first_hour: int) -> None:
        """Delete counts of hours before one, and all of keys that no objective has and had for long."""
        with self._file.write() as connection:
            rows: Iterable[tuple[str]] = connection.execute(
                "SELECT key FROM counted WHERE used_ns < ?", (unused_before_ns,)
            ).fetchall()
            gone = [(key,) for (key,) in rows if key not in used]
            connection.executemany("DELETE FROM hours WHERE key = ?", gone)
            connection.executemany("DELETE FROM counted WHERE key = ?", gone)
            connection.execute("DELETE FROM hours WHERE hour < ?", (first_hour,))
            connection.execute("UPDATE counted SET first = ? WHERE first < ?", (first_hour * HOUR, first_hour * HOUR))

    def note(self, change: SloChange) -> None:
        """Note a change."""
        with self._file.write() as connection:
            row = (change.time_ns, change.uid, change.by, change.kind, change.before, change.after)
            connection.execute(_ADD_CHANGE, row)
            connection.execute(_OLD_CHANGES, (_MOST_CHANGES,))

    def changes(self, uid: str = "", limit: int = 100) -> list[SloChange]:
        """What people changed of an objective, or of all, newest first."""
        with self._file.read() as connection:
            return [SloChange(*row) for row in connection.execute(_CHANGES, (uid, uid, limit))]

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _rows(key: str, minutes: Minutes) -> Iterable[tuple[str, int, float, float, bytes]]:
    """A row for each hour that has any event; ``minutes`` are whole hours."""
    shape = (-1, HOUR)
    total, bad = minutes.total.reshape(shape), minutes.bad.reshape(shape)
    sums = total.sum(axis=1)
    for place in np.flatnonzero(sums).tolist():
        both = np.concatenate((total[place], bad[place])).astype("<f8")
        packed = zlib.compress(both.tobytes(), 1)
        yield key, minutes.first // HOUR + place, float(sums[place]), float(bad[place].sum()), packed


def _unpacked(hour: int, blob: bytes) -> Minutes:
    both = np.frombuffer(zlib.decompress(blob), "<f8")
    return Minutes(hour * HOUR, both[:HOUR], both[HOUR:])
