"""Schedules in the store of reports: kept, changed, deleted; what is due, and which channels are to be told."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.reports.errors import UnknownReportError
from spanglass_server.reports.schedules.model import Kept, Schedule
from spanglass_server.store import sqlite_file
from spanglass_server.store.sqlite_file import read_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from sqlite3 import Connection

    from spanglass_server.reports.model import Turn
    from spanglass_server.store.sqlite_file import SqliteFile

_COLUMNS = "id, kind, service, last, cron, zone, channels, format, enabled, actor, created_ns, next_ns"


class ScheduleStore:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._next = sqlite_file.Kept(file, _next_ns)

    def all(self) -> Sequence[Kept]:
        """All schedules, in the order in which they were made."""
        with self._file.read() as connection:
            return _all(connection)

    def next_ns(self) -> int:
        """When the next of all is due, 0 for never; quick."""
        return self._next.now()

    def one(self, schedule_id: str) -> Kept:
        """One of them; ``UnknownReportError``."""
        with self._file.read() as connection:
            return _one(connection, schedule_id)

    def add(self, kept: Kept) -> None:
        """Keep a new schedule."""
        with self._file.write() as connection:
            _put(connection, kept)

    def change(self, schedule_id: str, changed: Callable[[Kept], Kept]) -> Kept:
        """Keep what ``changed`` makes of a schedule; nothing comes between. ``UnknownReportError``."""
        with self._file.write() as connection:
            kept = changed(_one(connection, schedule_id))
            _put(connection, kept)
        return kept

    def skip(self, turn: Turn) -> None:
        """Take the turn of a schedule without a report."""
        with self._file.write() as connection:
            connection.execute(read_sql(__package__, "take_turn"), asdict(turn))

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


def _all(connection: Connection) -> Sequence[Kept]:
    found = connection.execute(f"SELECT {_COLUMNS} FROM schedules ORDER BY created_ns, id")  # noqa: S608
    return [_kept(row) for row in found]


def _one(connection: Connection, schedule_id: str) -> Kept:
    found = next((kept for kept in _all(connection) if kept.id == schedule_id), None)
    if found is None:
        raise UnknownReportError(f"there is no schedule {schedule_id!r}")
    return found


def _next_ns(connection: Connection) -> int:
    return connection.execute("SELECT coalesce(min(next_ns), 0) FROM schedules WHERE next_ns > 0").fetchone()[0]  # type: ignore[no-any-return]


def _put(connection: Connection, kept: Kept) -> None:
    values: dict[str, Any] = {
        **asdict(kept.schedule), "channels": orjson.dumps(kept.schedule.channels).decode(), "id": kept.id,
        "created_ns": kept.created_ns, "next_ns": kept.next_ns,
    }  # fmt: skip
    connection.execute(read_sql(__package__, "put_schedule"), values)


def _kept(row: Sequence[Any]) -> Kept:
    found, kind, service, last, cron, zone, channels, form, enabled, actor, created_ns, next_ns = row
    schedule = Schedule(
        kind=kind, service=service, last=last, cron=cron, zone=zone, channels=tuple(orjson.loads(channels)),
        format=form, enabled=bool(enabled), actor=actor,
    )  # fmt: skip
    return Kept(found, schedule, created_ns, next_ns)
