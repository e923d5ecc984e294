"""The alert store in one SQLite file of the data directory."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.alerting.store import merging, rows
from spanglass_server.alerting.store.database import open_file
from spanglass_server.alerting.store.filters import condition

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.alerting.model import Alert, Entry, KeyState, Recorded
    from spanglass_server.alerting.ports import AlertFilter, Tick

FILE_NAME = "alerts.sqlite"

# ruff: noqa: S608 - texts of SQL are put together of our own columns and conditions; values are bound

_ONE = f"SELECT {rows.ALERT_COLUMNS} FROM alerts WHERE id = ?"
_ONE_PLAIN = f"SELECT {rows.PLAIN_COLUMNS} FROM alerts WHERE id = ?"
_OPEN = f"SELECT {rows.ALERT_COLUMNS} FROM alerts WHERE fingerprint = ? AND status IN ('active', 'acknowledged')"
_PUT_TICK = (
    "INSERT INTO ticks VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET time_ns = excluded.time_ns, digest = coalesce(nullif(excluded.digest, ''), digest)"
)
_EVIDENCE_TRACES = (
    "SELECT DISTINCT json_tree.value FROM alerts, json_tree(evidence_text(alerts.evidence)) "
    "WHERE evidence <> '{}' AND json_tree.key = 'trace_id' AND json_tree.type = 'text'"
)


class SqliteAlertStore:
    """An ``AlertStore`` in one SQLite file. Raises ``OSError`` or ``AlertStoreError`` when it can't be used."""

    def __init__(self, path: Path) -> None:
        self._file = open_file(path)
        try:
            with self._file.read() as connection:
                self._version = _version(connection)
        except BaseException:
            self._file.close()
            raise

    @contextmanager
    def _change(self) -> Iterator[_Change]:
        with self._file.write() as connection:
            change = _Change(connection)
            yield change
            version = change.finish()
        self._version = max(self._version, version)

    def commit(self, tick: Tick) -> None:
        """See ``AlertStore``."""
        with self._change() as change:
            change.take(tick)

    def states(self) -> Sequence[KeyState]:
        """See ``AlertStore``."""
        with self._file.read() as connection:
            found = connection.execute(f"SELECT {rows.STATE_COLUMNS} FROM key_states ORDER BY rule_uid, key")
            return [rows.state_of(row) for row in found]

    def ticked_ns(self) -> Mapping[str, int]:
        """See ``AlertStore``."""
        with self._file.read() as connection:
            return dict(connection.execute("SELECT rule_uid, time_ns FROM ticks").fetchall())

    def digests(self) -> Mapping[str, str]:
        """See ``AlertStore``."""
        with self._file.read() as connection:
            return dict(connection.execute("SELECT rule_uid, digest FROM ticks WHERE digest <> ''").fetchall())

    def alert(self, alert_id: str) -> Alert:
        """See ``AlertStore``."""
        with self._file.read() as connection:
            return _found(connection, alert_id)

    def found(self, alert_ids: Sequence[str]) -> Mapping[str, Alert]:
        """See ``AlertStore``. Evidence, kilobytes an alert, is not read."""
        sql = f"SELECT {rows.PLAIN_COLUMNS} FROM alerts WHERE id IN (SELECT value FROM json_each(?))"
        with self._file.read() as connection:
            read = [rows.alert_of(row) for row in connection.execute(sql, (json.dumps(list(alert_ids)),))]
        return {alert.id: alert for alert in read}

    def all_open(self) -> Sequence[Alert]:
        """See ``AlertStore``."""
        sql = f"SELECT {rows.PLAIN_COLUMNS} FROM alerts WHERE status IN ('active', 'acknowledged') ORDER BY number"
        with self._file.read() as connection:
            return [rows.alert_of(row) for row in connection.execute(sql)]

    def last_cursor(self) -> int:
        """See ``AlertStore``."""
        with self._file.read() as connection:
            return int(connection.execute("SELECT coalesce(max(cursor), 0) FROM entries").fetchone()[0])

    def open_alert(self, fingerprint: str) -> Alert | None:
        """See ``AlertStore``."""
        with self._file.read() as connection:
            row = connection.execute(_OPEN, (fingerprint,)).fetchone()
        return None if row is None else rows.alert_of(row)

    def alerts(self, wanted: AlertFilter, *, limit: int, after: str = "") -> Sequence[Alert]:
        """See ``AlertStore``."""
        where, values = condition(wanted)
        with self._file.read() as connection:
            if after:
                place = connection.execute("SELECT created_ns, number FROM alerts WHERE id = ?", (after,)).fetchone()
                if place is None:
                    raise AlertNotFoundError(after)
                where, values = f"{where} AND (created_ns, number) < (?, ?)", [*values, *place]
            sql = f"SELECT {rows.ALERT_COLUMNS} FROM alerts WHERE {where} ORDER BY created_ns DESC, number DESC LIMIT ?"
            return [rows.alert_of(row) for row in connection.execute(sql, [*values, limit])]

    def count(self, wanted: AlertFilter) -> int:
        """See ``AlertStore``."""
        where, values = condition(wanted)
        with self._file.read() as connection:
            return int(connection.execute(f"SELECT count(*) FROM alerts WHERE {where}", values).fetchone()[0])

    def counts(self, wanted: AlertFilter) -> Mapping[tuple[Status, Severity], int]:
        """See ``AlertStore``. Without a text or labels, the index ``counted_alerts`` answers it."""
        where, values = condition(replace(wanted, statuses=(), severities=()))
        sql = f"SELECT status, severity, count(*) FROM alerts WHERE {where} GROUP BY status, severity"
        with self._file.read() as connection:
            return {(Status(row[0]), Severity(row[1])): row[2] for row in connection.execute(sql, values)}

    def history(self, alert_id: str) -> Sequence[Entry]:
        """See ``AlertStore``."""
        with self._file.read() as connection:
            number = connection.execute("SELECT number FROM alerts WHERE id = ?", (alert_id,)).fetchone()
            if number is None:
                raise AlertNotFoundError(alert_id)
            found = connection.execute(
                f"SELECT {rows.ENTRY_COLUMNS} FROM entries WHERE alert = ? ORDER BY cursor", number
            )
            return [rows.entry_of(row) for row in found]

    def create(self, alert: Alert, entry: Entry) -> Alert:
        """See ``AlertStore``."""
        with self._change() as change:
            return change.open(alert, (entry,))

    def change_status(self, alert_id: str, status: Status, entry: Entry) -> Alert:
        """See ``AlertStore``."""
        with self._change() as change:
            return change.replace(merging.with_status(change.alert(alert_id), status, entry), entry)

    def edit(self, alert_id: str, written: Mapping[str, Any], entry: Entry) -> Alert:
        """See ``AlertStore``."""
        with self._change() as change:
            return change.replace(merging.edited(change.alert(alert_id), written, entry), entry)

    def note(self, alert_id: str, entry: Entry) -> None:
        """See ``AlertStore``."""
        with self._change() as change:
            change.replace(merging.noted(change.alert(alert_id), entry), entry)

    def tell(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """See ``AlertStore``."""
        with self._change() as change:
            change.tell(entries)

    def attach(self, alert_id: str, evidence: Mapping[str, Any], entry: Entry) -> None:
        """See ``AlertStore``."""
        with self._change() as change:
            change.attach(merging.with_evidence(change.alert(alert_id), evidence, entry), entry)

    def join(self, alert_id: str, head_id: str, entry: Entry) -> None:
        """See ``AlertStore``."""
        with self._change() as change:
            alert = change.alert(alert_id)
            change.alert(head_id)
            change.replace(merging.joined(alert, head_id, entry), entry)
            change.move_parts(alert_id, head_id)

    def entries_after(self, cursor: int, limit: int) -> Sequence[Recorded]:
        """See ``AlertStore``."""
        sql = (
            f"SELECT cursor, id, {', '.join(f'entries.{name}' for name in rows.ENTRY_COLUMNS.split(', '))} "
            "FROM entries JOIN alerts ON number = alert WHERE cursor > ? ORDER BY cursor LIMIT ?"
        )
        with self._file.read() as connection:
            return [rows.recorded_of(row) for row in connection.execute(sql, (cursor, limit))]

    def delete(self, alert_id: str) -> None:
        """See ``AlertStore``."""
        with self._change() as change:
            change.delete("id = ?", change.alert(alert_id).id)

    def purge(self, before_ns: int) -> int:
        """See ``AlertStore``."""
        with self._change() as change:
            return change.delete(
                "status NOT IN ('active', 'acknowledged') AND NOT firing AND resolved_ns < ?", before_ns
            )

    def evidence_traces(self) -> frozenset[bytes]:
        """See ``AlertStore``."""
        with self._file.read() as connection:
            connection.create_function("evidence_text", 1, rows.evidence_text, deterministic=True)
            return frozenset(bytes.fromhex(row[0]) for row in connection.execute(_EVIDENCE_TRACES))

    def version(self) -> int:
        """See ``AlertStore``."""
        return self._version

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class _Change:
    """One change under way; the version rises if people can see it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._seen = False

    def alert(self, alert_id: str) -> Alert:
        """Read an alert as it is within this change."""
        return _found(self._connection, alert_id)

    def open(self, alert: Alert, entries: Iterable[Entry]) -> Alert:
        """Add an alert, or count one more of the open one with its fingerprint; gives the one that is open then."""
        row = self._connection.execute(_OPEN, (alert.fingerprint,)).fetchone()
        if row is None:
            self._connection.execute(rows.INSERT_ALERT, rows.alert_values(alert))
            return self._with_entries(alert, entries)
        return self.replace(merging.again(rows.alert_of(row), alert), *entries)

    def replace(self, alert: Alert, *entries: Entry) -> Alert:
        """Write an alert in the place of the one with its id, whose evidence stays."""
        self._connection.execute(rows.UPDATE_ALERT, rows.changed_values(alert))
        return self._with_entries(alert, entries)

    def attach(self, alert: Alert, entry: Entry) -> None:
        """Write an alert in the place of the one with its id, and its evidence."""
        evidence = rows.evidence_value(alert.evidence)
        self._connection.execute("UPDATE alerts SET evidence = ? WHERE id = ?", (evidence, alert.id))
        self.replace(alert, entry)

    def tell(self, entries: Iterable[tuple[str, Entry]]) -> None:
        """Add entries of alerts; those of deleted ones find no alert."""
        values = [rows.entry_values(entry, alert_id) for alert_id, entry in entries]
        self._connection.executemany(rows.INSERT_ENTRY, values)
        self._seen = self._seen or bool(values)

    def move_parts(self, alert_id: str, head_id: str) -> None:
        """Make the parts of one alert's problem those of another one."""
        self._connection.execute("UPDATE alerts SET part_of = ? WHERE part_of = ?", (head_id, alert_id))

    def _with_entries(self, alert: Alert, entries: Iterable[Entry]) -> Alert:
        self._connection.executemany(rows.INSERT_ENTRY, [rows.entry_values(entry, alert.id) for entry in entries])
        self._seen = True
        return alert

    def delete(self, where: str, *values: Any) -> int:
        """Delete alerts with their history."""
        deleted = self._connection.execute(f"DELETE FROM alerts WHERE {where}", values).rowcount
        self._seen = self._seen or deleted > 0
        return deleted

    def take(self, tick: Tick) -> None:
        """Take a tick; see ``AlertStore.commit``."""
        many = self._connection.executemany
        for alert, entries in tick.changed:
            row = self._connection.execute(_ONE_PLAIN, (alert.id,)).fetchone()
            if row is not None:
                self.replace(merging.said(rows.alert_of(row), alert, moved=bool(entries)), *entries)
        ids = {alert.id: self.open(alert, entries).id for alert, entries in tick.opened}
        many(
            "DELETE FROM key_states WHERE rule_uid = ? AND key = ?",
            [(uid, rows.key_text(key)) for uid, key in tick.gone],
        )
        many(rows.PUT_STATE, [rows.state_values(merging.linked(known, ids)) for known in tick.states])
        many(_PUT_TICK, [(uid, tick.time_ns, tick.digests.get(uid, "")) for uid in tick.rules])
        for table in ("key_states", "ticks"):
            many(f"DELETE FROM {table} WHERE rule_uid = ?", [(uid,) for uid in tick.forgotten])

    def finish(self) -> int:
        """Write the version, the last step before the commit; gives it."""
        if self._seen:
            self._connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'version'")
        return _version(self._connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT value FROM facts WHERE name = 'version'").fetchone()[0])


def _found(connection: sqlite3.Connection, alert_id: str) -> Alert:
    row = connection.execute(_ONE, (alert_id,)).fetchone()
    if row is None:
        raise AlertNotFoundError(alert_id)
    return rows.alert_of(row)
