"""The local catalog: which segments there are, how far the journal has become segments, and digests of recent requests.

One SQLite file. A commit is one transaction with ``synchronous=FULL``: segments, the journal's new start and the
digests become visible together or not at all, and a full disk makes it fail without harm (docs/adr/0002).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spanglass_server.signals import Signal
from spanglass_server.store.minute_counts import MinuteCounts
from spanglass_server.store.segment_files.segments import Cover, Segment, one_of_each
from spanglass_server.store.segment_files.trace_filter import TraceFilter
from spanglass_server.store.sqlite_file import write_ahead

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_DIGEST_BYTES = 16

#: What each version of the schema adds to the one before it; the last is the one that this server writes.
_SCHEMAS = (
    """
CREATE TABLE segments (
    id INTEGER PRIMARY KEY, signal TEXT NOT NULL, file TEXT NOT NULL, row_count INTEGER NOT NULL,
    byte_count INTEGER NOT NULL, min_time_ns INTEGER NOT NULL, max_time_ns INTEGER NOT NULL,
    arrived_ns INTEGER NOT NULL, columns TEXT NOT NULL, trace_filter BLOB
);
CREATE TABLE digests (generation INTEGER PRIMARY KEY, newest_ns INTEGER NOT NULL, digests BLOB NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
""",
    "CREATE TABLE service_slots (service TEXT PRIMARY KEY, slot INTEGER NOT NULL);",
    "-- segments of occurrences, a signal that older servers do not know\n",
    "ALTER TABLE segments ADD COLUMN cover TEXT;",
    "ALTER TABLE segments ADD COLUMN minute_counts BLOB;",
)
SCHEMA_VERSION = len(_SCHEMAS)
_INSERT_SEGMENT = "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_OUT_OF_TURN = "flushed:"  # with the generation's number, a fact
_UPSERT_FACT = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class CatalogError(Exception):
    """The catalog can't be used; the message says what to do."""


class CatalogVersionError(CatalogError):
    """The data directory was written by a newer version of the server."""


class CatalogDamagedError(CatalogError):
    """The catalog's file is not what this server or an older one wrote."""


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests of the requests of one generation of the journal, and when the newest came."""

    generation: int
    newest_ns: int
    digests: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Change:
    """One atomic change of the catalog."""

    add: Sequence[Segment] = ()
    remove: Collection[int] = ()
    journal_start: int | None = None
    digests: Digests | None = None
    forget_digests_before_ns: int | None = None
    flushed_out_of_turn: int | None = None  # a generation before the journal's start, in segments only now
    service_slots: Mapping[str, int] = field(default_factory=dict)  # of services that have none yet


class Catalog(Protocol):
    """The interface that every catalog keeps; methods may be called from any thread, changes are serialised."""

    def segments(self) -> list[Segment]:
        """All segments, oldest id first."""

    def journal_start(self) -> int:
        """The first generation of the journal whose records are not all in segments."""

    def flushed_out_of_turn(self) -> set[int]:
        """Generations that became segments after later ones."""

    def recent_digests(self) -> list[Digests]:
        """Digests that are still remembered."""

    def service_slots(self) -> dict[str, int]:
        """The colour slot of every service that was given one."""

    def next_segment_id(self) -> int:
        """An id never given out before by this process, and higher than any in the catalog."""

    def commit(self, change: Change) -> None:
        """Make the change durable as a whole, or raise and change nothing; ``OSError`` if the disk refuses.

        Only if the machine or the process stops before the next commit, a failed one may be found made after all.
        """

    def close(self) -> None:
        """Release the files."""


class LocalCatalog:
    """A ``Catalog`` in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._reading():
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            try:
                write_ahead(self._connection)
                self._migrate()
                row = self._connection.execute("SELECT coalesce(max(id), 0) FROM segments").fetchone()
                self._last_id = max(int(row[0]), self._fact("last_segment_id", 0))
            except BaseException:
                self._connection.close()
                raise

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version < SCHEMA_VERSION:
            missing = "".join(_SCHEMAS[version:])
            self._connection.executescript(f"BEGIN; {missing} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version > SCHEMA_VERSION:
            raise CatalogVersionError(
                f"the data directory has catalog version {version}, this server knows {SCHEMA_VERSION}: "
                "start the newer server that wrote it, or choose another data directory"
            )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what SQLite says of an unreadable file into words of ours."""
        try:
            yield
        except sqlite3.OperationalError as error:  # its file can't be opened, read or locked, or a table is missing
            raise OSError(f"the catalog {self._path} can't be read: {error}") from error
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise CatalogDamagedError(
                f"the catalog {self._path} is damaged ({error}): restore the data directory from a backup, or choose "
                "another one; the records in its segments/ stay readable as Parquet files"
            ) from error

    def _rows(self, query: str) -> list[Any]:
        with self._lock:
            return self._connection.execute(query).fetchall()

    def segments(self) -> list[Segment]:
        """See ``Catalog``."""
        with self._reading():
            return [_segment(row) for row in self._rows("SELECT * FROM segments ORDER BY id")]

    def journal_start(self) -> int:
        """See ``Catalog``."""
        with self._lock, self._reading():
            return self._fact("journal_start", 1)

    def flushed_out_of_turn(self) -> set[int]:
        """See ``Catalog``."""
        with self._reading():
            rows = self._rows(f"SELECT value FROM facts WHERE name LIKE '{_OUT_OF_TURN}%'")  # noqa: S608 - a constant
            return {int(value) for (value,) in rows}

    def recent_digests(self) -> list[Digests]:
        """See ``Catalog``."""
        with self._reading():
            rows = self._rows("SELECT generation, newest_ns, digests FROM digests")
            return [Digests(generation, newest, _unpack(packed)) for generation, newest, packed in rows]

    def service_slots(self) -> dict[str, int]:
        """See ``Catalog``."""
        with self._reading():
            return dict(self._rows("SELECT service, slot FROM service_slots"))

    def next_segment_id(self) -> int:
        """See ``Catalog``."""
        with self._lock:
            self._last_id += 1
            return self._last_id

    def commit(self, change: Change) -> None:
        """See ``Catalog``."""
        with self._lock:
            self._roll_back()  # what an earlier commit could not end
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._apply(change)
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if isinstance(error, sqlite3.Error):
                    raise OSError(f"the catalog could not be written: {error}") from error
                raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _apply(self, change: Change) -> None:
        execute = self._connection.execute
        for segment in change.add:
            execute(_INSERT_SEGMENT, _row(segment))
        for segment_id in change.remove:
            execute("DELETE FROM segments WHERE id = ?", (segment_id,))
        execute(_UPSERT_FACT, ("last_segment_id", self._last_id))
        if change.journal_start is not None:
            execute(_UPSERT_FACT, ("journal_start", change.journal_start))
        if change.flushed_out_of_turn is not None:
            execute(_UPSERT_FACT, (f"{_OUT_OF_TURN}{change.flushed_out_of_turn}", change.flushed_out_of_turn))
        if change.digests is not None:
            packed = b"".join(sorted(change.digests.digests))
            execute(
                "INSERT OR REPLACE INTO digests VALUES (?, ?, ?)",
                (change.digests.generation, change.digests.newest_ns, packed),
            )
        if change.forget_digests_before_ns is not None:
            execute("DELETE FROM digests WHERE newest_ns < ?", (change.forget_digests_before_ns,))
        self._connection.executemany("INSERT OR IGNORE INTO service_slots VALUES (?, ?)", change.service_slots.items())

    def close(self) -> None:
        """See ``Catalog``."""
        with self._lock:
            self._connection.close()

    def _fact(self, name: str, default: int) -> int:
        row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return default if row is None else int(row[0])


def _row(segment: Segment) -> tuple[object, ...]:
    trace_filter = None if segment.trace_filter is None else segment.trace_filter.bits.tobytes()
    columns = json.dumps(sorted(segment.columns))
    return (
        segment.id,
        str(segment.signal),
        segment.file,
        segment.rows,
        segment.bytes,
        segment.min_time_ns,
        segment.max_time_ns,
        segment.arrived_ns,
        columns,
        trace_filter,
        None if segment.cover is None else json.dumps(astuple(segment.cover)),
        None if segment.minute_counts is None else segment.minute_counts.packed(),
    )


def _segment(row: tuple[Any, ...]) -> Segment:
    segment_id, signal, *numbers, columns, trace_filter, cover, minute_counts = row
    file, rows, size, min_time_ns, max_time_ns, arrived_ns = numbers
    return Segment(
        segment_id,
        Signal(signal),
        file,
        rows,
        size,
        min_time_ns,
        max_time_ns,
        arrived_ns,
        _columns(columns),
        None if trace_filter is None else TraceFilter(np.frombuffer(trace_filter, np.uint8)),
        None if cover is None else Cover(*json.loads(cover)),
        None if minute_counts is None else MinuteCounts.unpacked(minute_counts),
    )


@lru_cache(maxsize=256)
def _columns(text: str) -> frozenset[str]:
    """The columns of a segment; a thousand segments share a few sets of them, 10 kB each."""
    return one_of_each(frozenset(json.loads(text)))


def _unpack(packed: bytes) -> frozenset[bytes]:
    return frozenset(packed[i : i + _DIGEST_BYTES] for i in range(0, len(packed), _DIGEST_BYTES))
