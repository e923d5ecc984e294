"""The snapshot of all issues: made anew of what changed since the one before, as far as that is possible."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from spanglass_server.issues.sqlite import reading

if TYPE_CHECKING:
    import sqlite3

    from spanglass_server.issues.model import Snapshot
    from spanglass_server.issues.sqlite.database import Database
    from spanglass_server.issues.sqlite.transaction import Transaction

#: More than that many changed issues are read as fast with all others.
_MOST_TOUCHED = 500


class Snapshots:
    """The newest snapshot, and which issues changed after it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._lock = threading.Lock()
        self._held = reading.snapshot(connection)
        self._version = self._held.version
        self._touched: dict[int, int] = {}  # issue to the version that changed it last
        self._merged = 0  # the version of the last merge

    @property
    def version(self) -> int:
        """The newest version that was committed."""
        return self._version

    def expect(self, change: Transaction, version: int) -> None:
        """Note what a change is about to commit: a reader may see it before ``commit`` is called."""
        with self._lock:
            self._touched.update(dict.fromkeys(change.touched, version))
            if change.has_merged:
                self._merged = version

    def commit(self, version: int) -> None:
        """Note that a version was committed."""
        with self._lock:
            self._version = max(self._version, version)

    def newest(self, database: Database) -> Snapshot:
        """Return a snapshot of the newest version, or of a newer one."""
        held = self._held
        if held.version >= self._version:
            return held
        with database.read() as connection:
            if self._held.version < self._version:  # no other thread read it meanwhile
                self._held = self._read(connection, self._held)
                self._forget(self._held.version)
            return self._held

    def _read(self, connection: sqlite3.Connection, before: Snapshot) -> Snapshot:
        reading.version(connection)  # from here on the connection sees one moment
        with self._lock:  # what is about to be committed too: it is then read as it still is
            touched = [issue for issue, version in self._touched.items() if version > before.version]
            is_merged = self._merged > before.version
        if is_merged or len(touched) > _MOST_TOUCHED:
            return reading.snapshot(connection)
        return reading.renewed_snapshot(connection, before, touched)

    def _forget(self, version: int) -> None:
        with self._lock:
            self._touched = {issue: changed for issue, changed in self._touched.items() if changed > version}
