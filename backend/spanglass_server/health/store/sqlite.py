"""The store of health in one SQLite file of the data directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.health.model import Call, Change, Kept, Status
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE_NAME: Final = "health.sqlite"
#: Calls of one heartbeat that are kept.
KEPT_CALLS: Final = 100
_SCHEMAS: Final = ("schema_1",)

_PUT_SUBJECT: Final = "INSERT OR REPLACE INTO subjects VALUES (?, ?, ?, ?, ?)"
_ADD_CHANGE: Final = "INSERT INTO changes (subject, time_ns, status, previous, detail) VALUES (?, ?, ?, ?, ?)"
_CHANGES: Final = """
SELECT number, subject, time_ns, status, previous, detail FROM changes
WHERE (:subject = '' OR subject = :subject) AND time_ns >= :start AND time_ns < :end
  AND (:before = 0 OR number < :before)
ORDER BY number DESC LIMIT :limit
"""
_CHANGES_OF: Final = _CHANGES.replace("(:subject = '' OR subject = :subject)", "subject = :subject")
_STATUS_AT: Final = "SELECT status FROM changes WHERE subject = ? AND time_ns < ? ORDER BY time_ns DESC, number DESC"
_OLD_CALLS: Final = """
DELETE FROM calls WHERE uid = :uid AND number <= (
  SELECT number FROM calls WHERE uid = :uid ORDER BY number DESC LIMIT 1 OFFSET :keep
)
"""
# the last change before the time says how it was then, so it stays
_PURGE: Final = """
DELETE FROM changes WHERE time_ns < :before AND EXISTS (
  SELECT 1 FROM changes AS later
  WHERE later.subject = changes.subject AND later.number > changes.number AND later.time_ns < :before
)
"""


class HealthStoreError(Exception):
    """The file is none of this server's, or damaged; says what to do."""


_WORDING: Final = Wording(
    "the store of health",
    "checks and telemetry are kept, but the history of their statuses is lost",
    HealthStoreError,
    HealthStoreError,
)


class HealthStore:
    """Keeps how subjects stand, every change of a status, and calls of heartbeats. Each method is one transaction.

    Any thread may call. Raises ``OSError`` when the disk can't be used; then nothing changed.
    """

    def __init__(self, path: Path) -> None:
        scripts = [read_sql(__package__, name) for name in _SCHEMAS]
        self._file = SqliteFile(path, scripts, _WORDING)

    def kept(self) -> Mapping[str, Kept]:
        """All subjects as they were last saved."""
        with self._file.read() as connection:
            rows = connection.execute("SELECT subject, status, since_ns, seen_ns, detail FROM subjects")
            return {row[0]: _kept(*row) for row in rows}

    def save(self, kept: Sequence[Kept], changes: Sequence[Change]) -> None:
        """Save how some subjects stand, and what changed, in this order; the store numbers the changes."""
        with self._file.write() as connection:
            connection.executemany(_PUT_SUBJECT, [(k.subject, k.status, k.since_ns, k.seen_ns, k.detail) for k in kept])
            connection.executemany(
                _ADD_CHANGE, [(c.subject, c.time_ns, c.status, c.previous, c.detail) for c in changes]
            )

    def changes(
        self, subject: str = "", *, start_ns: int = 0, end_ns: int = 2**63 - 1, limit: int = 1000, before: int = 0
    ) -> Sequence[Change]:
        """Changes of a subject ("": of all), newest first; ``before`` is the number of the last of the page before."""
        values = {"subject": subject, "start": start_ns, "end": end_ns, "limit": limit, "before": before}
        with self._file.read() as connection:
            return [_change(*row) for row in connection.execute(_CHANGES_OF if subject else _CHANGES, values)]

    def status_at(self, subject: str, time_ns: int) -> Status:
        """What the status was just before a time; unknown before the first change."""
        with self._file.read() as connection:
            row = connection.execute(_STATUS_AT, (subject, time_ns)).fetchone()
        return Status.UNKNOWN if row is None else Status(row[0])

    def called(self, uid: str, call: Call) -> None:
        """Note a call of a heartbeat; the last ``KEPT_CALLS`` of each are kept."""
        with self._file.write() as connection:
            connection.execute(
                "INSERT INTO calls (uid, time_ns, kind, text) VALUES (?, ?, ?, ?)",
                (uid, call.time_ns, call.kind, call.text),
            )
            connection.execute(_OLD_CALLS, {"uid": uid, "keep": KEPT_CALLS})

    def calls(self, uid: str, limit: int = KEPT_CALLS) -> Sequence[Call]:
        """Calls of a heartbeat, newest first."""
        sql = "SELECT time_ns, kind, text FROM calls WHERE uid = ? ORDER BY number DESC LIMIT ?"
        with self._file.read() as connection:
            return [Call(*row) for row in connection.execute(sql, (uid, limit))]

    def forget(self, subjects: Sequence[str]) -> None:
        """Forget how subjects stand that are no more; their changes stay until they are purged."""
        with self._file.write() as connection:
            connection.executemany("DELETE FROM subjects WHERE subject = ?", [(each,) for each in subjects])

    def purge(self, before_ns: int) -> int:
        """Delete changes from before then, but for the last one of each subject before it; how many there were."""
        with self._file.write() as connection:
            return connection.execute(_PURGE, {"before": before_ns}).rowcount

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _kept(subject: str, status: str, since_ns: int, seen_ns: int, detail: str) -> Kept:
    return Kept(subject=subject, status=Status(status), since_ns=since_ns, seen_ns=seen_ns, detail=detail)


def _change(number: int, subject: str, time_ns: int, status: str, previous: str, detail: str) -> Change:
    return Change(
        number=number,
        subject=subject,
        time_ns=time_ns,
        status=Status(status),
        previous=Status(previous),
        detail=detail,
    )
