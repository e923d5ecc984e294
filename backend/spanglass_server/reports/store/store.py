"""The store of reports: asked for, taken up one after the other, done, deleted; and what is said of its file."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson
import zstandard

from spanglass_server.reports.errors import NotDoneError, ReportStoreError, UnknownReportError
from spanglass_server.reports.model import Entry, Scope, State
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spanglass_server.reports.model import Report, Turn

FILE_NAME: Final = "reports.sqlite"
_SCHEMAS: Final = ("schema_1", "schema_2")
_WORDING: Final = Wording("the store of reports", "reports are lost", ReportStoreError, ReportStoreError)


class ReportStore:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    def __init__(self, path: Path) -> None:
        self.file = SqliteFile(path, [read_sql(__package__, name) for name in _SCHEMAS], _WORDING)

    def add(self, report_id: str, scope: Scope, now_ns: int, actor: str = "", turn: Turn | None = None) -> bool:
        """Have a report wait to be made, for somebody or at the turn of a schedule, which is taken with it.

        False where the schedule was deleted or changed meanwhile: nothing was done then.
        """
        values = {
            "id": report_id, "kind": scope.kind, "service": scope.service, "start_ns": scope.start_ns,
            "end_ns": scope.end_ns, "created_ns": now_ns, "actor": actor, "schedule": turn.schedule if turn else "",
        }  # fmt: skip
        with self.file.write() as connection:
            if turn is not None and not connection.execute(read_sql(__package__, "take_turn"), asdict(turn)).rowcount:
                return False
            connection.execute(read_sql(__package__, "insert"), values)
        return True

    def waiting(self) -> int:
        """How many wait or are being made."""
        with self.file.read() as connection:
            query = "SELECT count(*) FROM reports WHERE state IN ('waiting', 'running')"
            return int(connection.execute(query).fetchone()[0])

    def take(self) -> Entry | None:
        """The next to be made, from now on ``running``; None where nothing waits."""
        if not self.waiting():
            return None
        with self.file.write() as connection:
            found = connection.execute(read_sql(__package__, "next")).fetchone()
        return _entry(found) if found else None

    def give_back(self, report_id: str) -> None:
        """Have one that was taken wait again, as if it had not been; nothing where it was deleted."""
        query = "UPDATE reports SET state = 'waiting', attempts = attempts - 1 WHERE id = ? AND state = 'running'"
        with self.file.write() as connection:
            connection.execute(query, (report_id,))

    def done(self, report_id: str, report: Report, now_ns: int) -> None:
        """Keep what a report holds; one that was deleted meanwhile stays so."""
        self._end(report_id, State.DONE, now_ns, content=zstandard.compress(orjson.dumps(report)))

    def failed(self, report_id: str, error: str, now_ns: int) -> None:
        """Note why a report could not be made."""
        self._end(report_id, State.FAILED, now_ns, error=error)

    def _end(self, report_id: str, state: State, now_ns: int, error: str = "", content: bytes | None = None) -> None:
        values: dict[str, Any] = {
            "id": report_id, "state": str(state), "done_ns": now_ns, "error": error, "content": content,
        }  # fmt: skip
        with self.file.write() as connection:
            connection.execute(read_sql(__package__, "done"), values)

    def entries(self, kind: str = "", service: str = "", state: str = "", limit: int = 1000) -> Sequence[Entry]:
        """Reports, the newest first; empty texts mean all."""
        values = {"kind": kind, "service": service, "state": state, "most": limit}
        with self.file.read() as connection:
            return [_entry(row) for row in connection.execute(read_sql(__package__, "list"), values)]

    def entry(self, report_id: str) -> Entry:
        """One of them; ``UnknownReportError``."""
        with self.file.read() as connection:
            found = connection.execute(read_sql(__package__, "one"), (report_id,)).fetchone()
        if found is None:
            raise UnknownReportError(f"there is no report {report_id!r}")
        return _entry(found)

    def content(self, report_id: str) -> Report:
        """What a report holds; ``UnknownReportError``, ``NotDoneError``."""
        entry = self.entry(report_id)
        with self.file.read() as connection:
            found = connection.execute("SELECT content FROM reports WHERE id = ?", (report_id,)).fetchone()
        if found is None or found[0] is None:
            why = f"it could not be made: {entry.error}" if entry.state is State.FAILED else f"it is {entry.state}"
            raise NotDoneError(f"report {report_id} has no content: {why}")
        report: Report = orjson.loads(zstandard.decompress(found[0]))
        return report

    def delete(self, report_id: str) -> None:
        """Forget a report; ``UnknownReportError``."""
        with self.file.write() as connection:
            if not connection.execute("DELETE FROM reports WHERE id = ?", (report_id,)).rowcount:
                raise UnknownReportError(f"there is no report {report_id!r}")

    def forget(self, before_ns: int, most: int) -> int:
        """Delete reports that were asked for before then, and the oldest past a number; how many there were."""
        with self.file.write() as connection:
            values = {"before_ns": before_ns, "most": most}
            return connection.execute(read_sql(__package__, "forget"), values).rowcount

    def close(self) -> None:
        """Release the file."""
        self.file.close()


def _entry(row: Sequence[Any]) -> Entry:
    found, kind, service, start_ns, end_ns, state, created_ns, done_ns, attempts, actor, error, size = row
    return Entry(
        id=found, scope=Scope(kind, service, start_ns, end_ns), state=State(state), created_ns=created_ns,
        done_ns=done_ns, attempts=attempts, actor=actor, error=error, bytes=size,
    )  # fmt: skip
