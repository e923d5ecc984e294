"""The local catalog: which segments there are, how far the journal has become segments, and digests of recent requests.

One SQLite file. A commit is one transaction with ``synchronous=FULL``: segments, the journal's new start and the
digests become visible together or not at all, and a full disk makes it fail without harm (docs/adr/0002).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spanglass_server.signals import Signal
from spanglass_server.store.segments import Segment
from spanglass_server.store.trace_filter import TraceFilter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
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
)
SCHEMA_VERSION = len(_SCHEMAS)
_INSERT_SEGMENT = "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPSERT_FACT = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class CatalogVersionError(Exception):
    """The data directory was written by a newer version of the server."""


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
    service_slots: Mapping[str, int] = field(default_factory=dict)  # of services that have none yet


class Catalog(Protocol):
    """The interface that every catalog keeps; methods may be called from any thread, changes are serialised."""

    def segments(self) -> list[Segment]:
        """All segments, oldest id first."""

    def journal_start(self) -> int:
        """The first generation of the journal whose records are not all in segments."""

    def recent_digests(self) -> list[Digests]:
        """Digests that are still remembered."""

    def service_slots(self) -> dict[str, int]:
        """The colour slot of every service that was given one."""

    def next_segment_id(self) -> int:
        """An id never given out before by this process, and higher than any in the catalog."""

    def commit(self, change: Change) -> None:
        """Make the change durable as a whole, or raise ``OSError`` and change nothing."""

    def close(self) -> None:
        """Release the files."""


class LocalCatalog:
    """A ``Catalog`` in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._migrate()
        row = self._connection.execute("SELECT coalesce(max(id), 0) FROM segments").fetchone()
        self._last_id = max(int(row[0]), self._fact("last_segment_id", 0))

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version < SCHEMA_VERSION:
            missing = "".join(_SCHEMAS[version:])
            self._connection.executescript(f"BEGIN; {missing} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version > SCHEMA_VERSION:
            self._connection.close()
            raise CatalogVersionError(
                f"the data directory has catalog version {version}, this server knows {SCHEMA_VERSION}: "
                "start the newer server that wrote it, or choose another data directory"
            )

    def segments(self) -> list[Segment]:
        """See ``Catalog``."""
        with self._lock:
            rows = self._connection.execute("SELECT * FROM segments ORDER BY id").fetchall()
        return [_segment(row) for row in rows]

    def journal_start(self) -> int:
        """See ``Catalog``."""
        with self._lock:
            return self._fact("journal_start", 1)

    def recent_digests(self) -> list[Digests]:
        """See ``Catalog``."""
        with self._lock:
            rows = self._connection.execute("SELECT generation, newest_ns, digests FROM digests").fetchall()
        return [Digests(generation, newest, _unpack(packed)) for generation, newest, packed in rows]

    def service_slots(self) -> dict[str, int]:
        """See ``Catalog``."""
        with self._lock:
            return dict(self._connection.execute("SELECT service, slot FROM service_slots").fetchall())

    def next_segment_id(self) -> int:
        """See ``Catalog``."""
        with self._lock:
            self._last_id += 1
            return self._last_id

    def commit(self, change: Change) -> None:
        """See ``Catalog``."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._apply(change)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise OSError(f"the catalog could not be written: {error}") from error

    def _apply(self, change: Change) -> None:
        execute = self._connection.execute
        for segment in change.add:
            execute(_INSERT_SEGMENT, _row(segment))
        for segment_id in change.remove:
            execute("DELETE FROM segments WHERE id = ?", (segment_id,))
        execute(_UPSERT_FACT, ("last_segment_id", self._last_id))
        if change.journal_start is not None:
            execute(_UPSERT_FACT, ("journal_start", change.journal_start))
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
    )


def _segment(row: tuple[Any, ...]) -> Segment:
    segment_id, signal, *numbers, columns, trace_filter = row
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
        frozenset(json.loads(columns)),
        None if trace_filter is None else TraceFilter(np.frombuffer(trace_filter, np.uint8)),
    )


def _unpack(packed: bytes) -> frozenset[bytes]:
    return frozenset(packed[i : i + _DIGEST_BYTES] for i in range(0, len(packed), _DIGEST_BYTES))
