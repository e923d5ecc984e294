"""Occurrences written by hand, and an issue store that has observed them."""

from __future__ import annotations

from typing import Any

from spanglass_server.issues.model import Sighting
from spanglass_server.issues.sqlite_store import SqliteIssueStore
from spanglass_server.query.issues.known import KnownIssues
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
#: When tests ask, and the range that they ask about: the 1000 seconds before.
NOW_NS = 400 * DAY
WINDOW = Window(NOW_NS - 1000 * SECOND, NOW_NS)


def at(second: float) -> int:
    """Return a time of the range."""
    return WINDOW.start_ns + int(second * SECOND)


class World:
    """Rows of occurrences, and of what tells them, with a store that observed each."""

    def __init__(self, path: Any, open_tables: Any) -> None:
        self.store = SqliteIssueStore(path, 1000)
        self.issues = KnownIssues(self.store)
        self.rows: list[dict[str, Any]] = []
        self.records: dict[str, list[dict[str, Any]]] = {"spans": [], "logs": []}
        self._open = open_tables

    def see(self, key: int, second: float, count: int = 1, **fields: Any) -> None:
        """Let an exception happen ``count`` times, at a second of the range; fields are those of occurrences."""
        row = {
            "time_ns": at(second),
            "issue_key": key,
            "service_name": "shop",
            "type": "ValueError",
            "message": f"no {key}",
            "culprit": f"shop.f{key}",
            "source": 0,
            "record_time_ns": at(second),
            "event_index": 0,
            **fields,
        }
        self.rows += [dict(row) for _ in range(count)]
        self.store.observe([_sighting(row)], NOW_NS)

    def session(self) -> Any:
        """Open a session over all that happened."""
        return self._open(occurrences=self.rows, **self.records)

    def id_of(self, key: int) -> str:
        """Return the id of the issue that has a key."""
        return self.store.snapshot().by_key[key].id


def _sighting(row: dict[str, Any]) -> Sighting:
    kind, message, culprit = row["type"], row["message"], row["culprit"]
    return Sighting(
        key=row["issue_key"],
        service=row["service_name"],
        title=f"{kind}: {message}",
        type=kind,
        message=message,
        culprit=culprit,
        version=1,
        inputs=(("service", row["service_name"]), ("type", kind), ("frame", culprit)),
        first_ns=row["time_ns"],
        last_ns=row["time_ns"],
        release=row.get("release") or "",
        environment=row.get("environment") or "",
    )
