"""The incident store in one SQLite file of the data directory."""

# ruff: noqa: S608 - names of our own tables and columns; values are bound

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import Severity
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.incidents.model import Held
from spanglass_server.incidents.ports import IncidentNotFoundError
from spanglass_server.incidents.store import rows
from spanglass_server.incidents.store.database import open_file
from spanglass_server.incidents.store.filters import condition

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.incidents.model import Incident, Line, Member, Recorded, Turn
    from spanglass_server.incidents.ports import IncidentFilter

FILE_NAME = "incidents.sqlite"
_NEWEST_FIRST = "ORDER BY opened_ns DESC, number DESC"


class SqliteIncidentStore:
    """An ``IncidentStore`` in one SQLite file. Raises ``OSError`` or ``IncidentStoreError`` when it can't be used."""

    def __init__(self, path: Path) -> None:
        self._file = open_file(path)
        try:
            self._version = self._fact("version")
        except BaseException:
            self._file.close()
            raise

    def _fact(self, name: str) -> int:
        with self._file.read() as connection:
            return _fact(connection, name)

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Return a connection to make a change with; the version rises with its commit."""
        with self._file.write() as connection:
            yield connection
            connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'version'")
            version = _fact(connection, "version")
        self._version = max(self._version, version)

    def cursor(self) -> int:
        """See ``IncidentStore``."""
        return self._fact("cursor")

    def announced(self) -> int:
        """See ``IncidentStore``."""
        return self._fact("announced")

    def take(self, cursor: int, turns: Sequence[Turn], version: int) -> bool:
        """See ``IncidentStore``."""
        if not turns:  # nothing that readers see: the version stays
            with self._file.write() as connection:
                _set_fact(connection, "cursor", cursor)
            return True
        with suppress(_ChangedMeanwhileError), self._change() as connection:
            if _fact(connection, "version") != version:
                raise _ChangedMeanwhileError
            _set_fact(connection, "cursor", cursor)
            _put_all(connection, turns)
            return True
        return False

    def told(self, cursor: int) -> None:
        """See ``IncidentStore``."""
        with self._file.write() as connection:
            _set_fact(connection, "announced", cursor)

    def open(self, turn: Turn) -> Incident:
        """See ``IncidentStore``."""
        with self._change() as connection:
            return _put_all(connection, [turn])[0]

    def change(self, ids: Sequence[str], work: Callable[[Sequence[Held]], Sequence[Turn]]) -> Sequence[Incident]:
        """See ``IncidentStore``."""
        with self._change() as connection:
            held = [Held(_found(connection, each), tuple(_members(connection, each))) for each in ids]
            return _put_all(connection, work(held))

    def incident(self, incident_id: str) -> Incident:
        """See ``IncidentStore``."""
        with self._file.read() as connection:
            return _found(connection, incident_id)

    def incidents(self, wanted: IncidentFilter, *, limit: int, after: str = "") -> Sequence[Incident]:
        """See ``IncidentStore``."""
        where, values = condition(wanted)
        with self._file.read() as connection:
            if after:
                last = _found(connection, after)
                where = f"{where} AND (opened_ns, number) < (?, ?)"
                values = [*values, last.opened_ns, rows.number_of(last.id)]
            sql = f"SELECT {rows.INCIDENT_COLUMNS} FROM incidents WHERE {where} {_NEWEST_FIRST} LIMIT ?"
            return [rows.incident_of(row) for row in connection.execute(sql, [*values, limit])]

    def counts(self, wanted: IncidentFilter) -> Mapping[tuple[Status, Severity], int]:
        """See ``IncidentStore``."""
        where, values = condition(replace(wanted, statuses=(), severities=()))
        sql = f"SELECT status, severity, count(*) FROM incidents WHERE {where} GROUP BY status, severity"
        with self._file.read() as connection:
            return {(Status(row[0]), Severity(row[1])): row[2] for row in connection.execute(sql, values)}

    def members(self, incident_id: str) -> Sequence[Member]:
        """See ``IncidentStore``."""
        with self._file.read() as connection:
            _found(connection, incident_id)
            return _members(connection, incident_id)

    def held(self, alert_ids: Sequence[str]) -> Mapping[str, str]:
        """See ``IncidentStore``."""
        sql = "SELECT alert_id, incident FROM members WHERE alert_id = ? AND NOT has_left"
        with self._file.read() as connection:
            found = [connection.execute(sql, (alert_id,)).fetchone() for alert_id in alert_ids]
        return {row[0]: rows.id_of(row[1]) for row in found if row is not None}

    def left(self) -> frozenset[str]:
        """See ``IncidentStore``."""
        with self._file.read() as connection:
            return frozenset(row[0] for row in connection.execute("SELECT alert_id FROM members WHERE has_left"))

    def timeline(self, incident_id: str, *, limit: int) -> Sequence[Line]:
        """See ``IncidentStore``."""
        sql = f"SELECT {rows.LINE_COLUMNS} FROM lines WHERE incident = ? ORDER BY time_ns DESC, cursor DESC LIMIT ?"
        with self._file.read() as connection:
            _found(connection, incident_id)
            found = connection.execute(sql, (rows.number_of(incident_id), limit)).fetchall()
        return [rows.line_of(row) for row in reversed(found)]

    def lines_after(self, cursor: int, limit: int) -> Sequence[Recorded]:
        """See ``IncidentStore``."""
        sql = f"SELECT cursor, incident, {rows.LINE_COLUMNS} FROM lines WHERE cursor > ? ORDER BY cursor LIMIT ?"
        with self._file.read() as connection:
            return [rows.recorded_of(row) for row in connection.execute(sql, (cursor, limit))]

    def delete(self, incident_id: str) -> None:
        """See ``IncidentStore``."""
        with self._change() as connection:
            _found(connection, incident_id)
            number = (rows.number_of(incident_id),)
            connection.execute("UPDATE members SET incident = NULL, has_left = 1 WHERE incident = ?", number)
            connection.execute("DELETE FROM incidents WHERE number = ?", number)

    def purge(self, before_ns: int) -> int:
        """See ``IncidentStore``."""
        sql = "DELETE FROM incidents WHERE status IN ('resolved', 'dismissed') AND resolved_ns < ?"
        with self._change() as connection:
            connection.execute("DELETE FROM members WHERE incident IS NULL AND created_ns < ?", (before_ns,))
            return connection.execute(sql, (before_ns,)).rowcount

    def version(self) -> int:
        """See ``IncidentStore``."""
        return self._version

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class _ChangedMeanwhileError(Exception):
    """Somebody has changed an incident since it was read."""


def _fact(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()[0])


def _set_fact(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute("UPDATE facts SET value = ? WHERE name = ?", (value, name))


def _found(connection: sqlite3.Connection, incident_id: str) -> Incident:
    sql = f"SELECT {rows.INCIDENT_COLUMNS} FROM incidents WHERE number = ?"
    row = connection.execute(sql, (rows.number_of(incident_id),)).fetchone()
    if row is None:
        raise IncidentNotFoundError(incident_id)
    return rows.incident_of(row)


def _members(connection: sqlite3.Connection, incident_id: str) -> list[Member]:
    sql = "SELECT told FROM members WHERE incident = ? ORDER BY created_ns, alert_id"
    return [rows.member_of(row[0]) for row in connection.execute(sql, (rows.number_of(incident_id),))]


def _put_all(connection: sqlite3.Connection, turns: Iterable[Turn]) -> list[Incident]:
    return [_put(connection, turn) for turn in turns]


def _put(connection: sqlite3.Connection, turn: Turn) -> Incident:
    """Write a turn; gives the incident with its id."""
    incident, values = turn.incident, rows.incident_values(turn.incident)
    if not incident.id:
        sql = f"INSERT INTO incidents ({rows.INCIDENT_VALUES}) VALUES (?, ?, ?, ?, ?, ?) RETURNING number"
        incident = replace(incident, id=rows.id_of(connection.execute(sql, values).fetchone()[0]))
    number = rows.number_of(incident.id)
    if turn.incident.id:
        columns = " = ?, ".join(rows.INCIDENT_VALUES.split(", "))
        connection.execute(f"UPDATE incidents SET {columns} = ? WHERE number = ?", [*values, number])
        connection.execute("DELETE FROM marks WHERE incident = ?", (number,))
    marks = [(number, *mark) for mark in rows.marks_of(incident)]
    connection.executemany("INSERT OR IGNORE INTO marks VALUES (?, ?, ?)", marks)
    connection.executemany(rows.PUT_MEMBER, [rows.member_values(member, number) for member in turn.members])
    connection.executemany(rows.PUT_LINE, [rows.line_values(line, number) for line in turn.lines])
    return incident
