"""Anomalies in a SQLite file: those that go on and those that ended, and what people say is fine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.anomalies.model import (
    AnomalyStoreError,
    Course,
    Fine,
    Key,
    Kind,
    Known,
    Seen,
    UnknownAnomalyError,
)
from spanglass_server.store.sqlite_file import Kept, SqliteFile, Wording, read_sql
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spanglass_server.anomalies.model import Begun

FILE_NAME: Final = "anomalies.sqlite"
#: Anomalies are kept for 30 days after their end, and so many of them.
_KEPT_NS, _MOST = 30 * 86_400 * NS_PER_SECOND, 2000
#: So many that go on are kept, the most surprising: 8,300 series may be unusual at once, and each has a course of 3 kB.
_MOST_OPEN: Final = 1000
#: One whose series has had no value for so long is over.
_UNSEEN_NS: Final = 3600 * NS_PER_SECOND
_WORDING = Wording(
    "the store of anomalies",
    "new ones are told of, but those of the past and what was said to be fine are lost",
    AnomalyStoreError,
    AnomalyStoreError,
)


def _statement(name: str) -> str:
    return read_sql(__package__, name)


class AnomalyStore:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, [_statement("schema_1"), _statement("schema_2")], _WORDING)
        self._fine = Kept(self._file, _all_fine)
        self._known = Kept(self._file, _all_known)
        self._open = Kept(self._file, _open_sides)
        self._dropped: dict[Key, int] = {}  # what went on, with when it was dropped last

    @property
    def changes(self) -> int:
        """How often something was changed since the start."""
        return self._file.commits

    @property
    def left_out(self) -> int:
        """How many go on and are not kept, since more surprising ones are too many."""
        return len(self._dropped)

    def keep(
        self,
        begun: Sequence[tuple[Begun, Course]],
        going_on: Mapping[Key, tuple[Seen, Course]],
        ended: Mapping[Key, tuple[int, Course | None]],
        now_ns: int,
    ) -> None:
        """Keep what a step changed, as a whole, and forget what is old. ``ended`` has the time of each end.

        Of those that go on the least surprising are dropped where they are too many; one begins anew with the next step
        in which it is among the most surprising.
        """
        with self._file.write() as connection:
            for key, (seen, course) in going_on.items():
                connection.execute(_statement("go_on"), {**_key(key), **_seen(seen), "course": course.written()})
            for key, (end_ns, last) in ended.items():
                text = None if last is None else last.written()
                connection.execute(_statement("end"), {**_key(key), "end_ns": end_ns, "course": text})
            for one, course in begun:  # where the side turns, one has just ended
                connection.execute(_statement("begin"), _begun(one, course))
            connection.execute(_statement("end_unseen"), {"oldest_ns": now_ns - _UNSEEN_NS})
            rows = connection.execute(_statement("drop_open"), {"most": _MOST_OPEN}).fetchall() if begun else []
            oldest = {"oldest_ns": now_ns - _KEPT_NS, "most": _MOST}
            for each in _statement("purge").strip().split(";")[:-1]:
                connection.execute(each, oldest if ":most" in each else {"oldest_ns": oldest["oldest_ns"]})
            gone = {*ended, *(one.key for one, _ in begun)}
            self._dropped = {
                **{key: at for key, at in self._dropped.items() if key not in gone and at >= now_ns - _UNSEEN_NS},
                **dict.fromkeys((_read_key(*row) for row in rows), now_ns),
            }

    def known(self, now_ns: int) -> list[Known]:
        """All that is kept, in no order; ``is_fine`` is as of now."""
        fine = {each.key for each in self._fine.now() if each.holds(now_ns)}
        return [replace(each, is_fine=True) if each.key in fine else each for each in self._known.now()]

    def open_sides(self) -> dict[Key, int]:
        """Those that go on, with their side (-1 below what is usual, 1 above). Change nothing in it."""
        return self._open.now()

    def one(self, anomaly: int, now_ns: int) -> Known:
        """One of them; ``UnknownAnomalyError``."""
        found = next((each for each in self.known(now_ns) if each.id == anomaly), None)
        if found is None:
            raise UnknownAnomalyError(f"there is no anomaly {anomaly}")
        return found

    def fine(self) -> list[Fine]:
        """What people said is fine, the newest first, with what was undone or is over."""
        return self._fine.now()

    def call_fine(self, one: Known, reason: str, actor: str, times: tuple[int, int | None]) -> None:
        """Tell no more of a series; ``times`` are now and until when (None: for good)."""
        with self._file.write() as connection:
            connection.execute(
                "UPDATE fine SET undone_ns = :now, undone_by = :actor"
                " WHERE kind = :kind AND labels = :labels AND undone_ns IS NULL",
                {**_key(one.key), "now": times[0], "actor": actor},
            )
            connection.execute(
                "INSERT INTO fine (kind, labels, title, reason, actor, made_ns, until_ns)"
                " VALUES (:kind, :labels, :title, :reason, :actor, :now, :until)",
                {
                    **_key(one.key), "title": one.title, "reason": reason, "actor": actor, "now": times[0],
                    "until": times[1],
                },
            )  # fmt: skip

    def undo(self, fine: int, actor: str, now_ns: int) -> None:
        """Tell of a series again; ``UnknownAnomalyError``."""
        with self._file.write() as connection:
            changed = connection.execute(
                "UPDATE fine SET undone_ns = ?, undone_by = ? WHERE id = ? AND undone_ns IS NULL",
                (now_ns, actor, fine),
            )
            if not changed.rowcount:
                raise UnknownAnomalyError(f"nothing that is said to be fine has the id {fine}, or it was undone before")

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _key(key: Key) -> dict[str, Any]:
    return {"kind": key.kind.value, "labels": json.dumps(key.labels, ensure_ascii=False)}


def _read_key(kind: str, labels: str) -> Key:
    return Key(Kind(kind), tuple((name, value) for name, value in json.loads(labels)))


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "seen_ns": seen.time_ns, "value": seen.value, "expected": seen.expected, "low": seen.low, "high": seen.high,
        "surprise": seen.surprise, "impact": seen.impact, "affected": seen.affected,
        "requests": seen.requests,
    }  # fmt: skip


def _begun(one: Begun, course: Course) -> dict[str, Any]:
    return {
        **_key(one.key), **_seen(one.seen), "title": one.title, "unit": one.unit, "side": one.side,
        "is_new": int(one.is_new), "start_ns": one.start_ns, "course": course.written(),
        "writers": json.dumps(one.writers, ensure_ascii=False),
    }  # fmt: skip


def _open_sides(connection: sqlite3.Connection) -> dict[Key, int]:
    found = connection.execute("SELECT kind, labels, side FROM anomalies WHERE end_ns IS NULL").fetchall()
    return {_read_key(kind, labels): side for kind, labels, side in found}


def _all_known(connection: sqlite3.Connection) -> list[Known]:
    rows = connection.execute(
        "SELECT id, kind, labels, title, unit, side, is_new, start_ns, end_ns, seen_ns, peak_ns, value, expected, low,"
        " high, surprise, impact, affected, requests, course, services FROM anomalies"
    )
    return [_known(row) for row in rows]


def _known(row: tuple[Any, ...]) -> Known:
    number, kind, labels, title, unit, side, is_new, start_ns, end_ns, seen_ns = row[:10]
    peak, affected, course, writers = Seen(*row[10:19]), row[17], row[19], row[20]
    key = _read_key(kind, labels)
    return Known(
        number, key, title, unit, side, bool(is_new), start_ns, end_ns, seen_ns, peak, affected, course,
        writers=tuple(json.loads(writers)),
    )  # fmt: skip


def _all_fine(connection: sqlite3.Connection) -> list[Fine]:
    found = connection.execute(
        "SELECT id, kind, labels, title, reason, actor, made_ns, until_ns, undone_ns, undone_by FROM fine"
        " ORDER BY id DESC"
    ).fetchall()
    return [Fine(number, _read_key(kind, labels), *rest) for number, kind, labels, *rest in found]
