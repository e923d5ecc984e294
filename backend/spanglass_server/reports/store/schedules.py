"""Schedules in the store of reports: kept, changed, deleted; what is due, and which channels are to be told."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.reports.errors import UnknownReportError
from spanglass_server.reports.schedules.model import Kept, Schedule
from spanglass_server.store.sqlite_file import read_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.store.sqlite_file import SqliteFile

_COLUMNS = "id, kind, service, last, cron, zone, channels, format, enabled, actor, created_ns, next_ns"


class ScheduleStore:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def all(self) -> Sequence[Kept]:
        """All schedules, in the order in which they were made."""
        with self._file.read() as connection:
            found = connection.execute(f"SELECT {_COLUMNS} FROM schedules ORDER BY created_ns, id")  # noqa: S608
            return [_kept(row) for row in found]

    def one(self, schedule_id: str) -> Kept:
        """One of them; ``UnknownReportError``."""
        found = next((kept for kept in self.all() if kept.id == schedule_id), None)
        if found is None:
            raise UnknownReportError(f"there is no schedule {schedule_id!r}")
        return found

    def put(self, kept: Kept) -> None:
        """Keep a schedule, in the place of the one with its id."""
        values: dict[str, Any] = {
            **asdict(kept.schedule), "channels": orjson.dumps(kept.schedule.channels).decode(), "id": kept.id,
            "created_ns": kept.created_ns, "next_ns": kept.next_ns,
        }  # fmt: skip
        with self._file.write() as connection:
            connection.execute(read_sql(__package__, "put_schedule"), values)

    def delete(self, schedule_id: str) -> None:
        """Forget one; ``UnknownReportError``."""
        with self._file.write() as connection:
            if not connection.execute("DELETE FROM schedules WHERE id = ?", (schedule_id,)).rowcount:
                raise UnknownReportError(f"there is no schedule {schedule_id!r}")

    def untold(self) -> Sequence[tuple[str, str]]:
        """Reports that are over and of which their schedule's channels were not told: their ids, and the schedule's."""
        query = "SELECT id, schedule FROM reports WHERE schedule <> '' AND told = 0 AND state IN ('done', 'failed')"
        with self._file.read() as connection:
            return list(connection.execute(f"{query} ORDER BY number"))

    def told(self, report_id: str) -> None:
        """Note that the channels were told of a report."""
        with self._file.write() as connection:
            connection.execute("UPDATE reports SET told = 1 WHERE id = ?", (report_id,))


def _kept(row: Sequence[Any]) -> Kept:
    found, kind, service, last, cron, zone, channels, form, enabled, actor, created_ns, next_ns = row
    schedule = Schedule(
        kind=kind, service=service, last=last, cron=cron, zone=zone, channels=tuple(orjson.loads(channels)),
        format=form, enabled=bool(enabled), actor=actor,
    )  # fmt: skip
    return Kept(found, schedule, created_ns, next_ns)
