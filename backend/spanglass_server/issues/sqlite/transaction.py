"""One change of the issue store under way: what it did, and what it logs and tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.issues.model import ActivityKind, Event, EventKind
from spanglass_server.issues.releases import Releases
from spanglass_server.issues.sqlite.database import statement
from spanglass_server.issues.sqlite.rows import status_of, status_values

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from spanglass_server.issues.states import Status


class Transaction:
    """A change under way; ``changed`` says whether the version must rise."""

    def __init__(self, connection: sqlite3.Connection, now_ns: int) -> None:
        self.connection = connection
        self.now_ns = now_ns
        self.changed = False
        self.touched: set[int] = set()  # issues of which the snapshot shows something else now
        self.has_merged = False  # or undone a merge: keys are of other issues now
        self.new_keys: dict[int, str] = {}  # with their service
        self.new_issues: list[tuple[str, int]] = []  # service and key of those that are not overflow issues
        self.events: list[Event] = []
        self._activity: list[tuple[Any, ...]] = []
        self._event_rows: list[tuple[Any, ...]] = []
        self._releases: dict[str, Releases] = {}

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Read all rows."""
        return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Any:
        """Read one row, or None."""
        return self.connection.execute(sql, values).fetchone()

    def write(self, sql: str, *values: Any) -> None:
        """Run a statement that changes something which people see."""
        self.connection.execute(sql, values)
        self.changed = True

    def write_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each row, and give how many rows of the table it changed."""
        return max(self.connection.executemany(sql, rows).rowcount, 0)

    def status(self, issue: int) -> Status:
        """Return the stored status of an issue."""
        return status_of(self.row("SELECT * FROM issues WHERE number = ?", issue))

    def set_status(self, issue: int, status: Status, actor: str, detail: str) -> None:
        """Change the status of an issue, and log it."""
        before = self.status(issue)
        self.write(statement("set_status"), *status_values(status), issue)
        self.log(issue, actor, ActivityKind.STATE, before.state, status.state, detail)

    def releases(self, service: str) -> Releases:
        """Return the releases of a service, read once."""
        if service not in self._releases:
            sql = "SELECT release, min(first_ns) FROM releases WHERE service = ? GROUP BY release"
            self._releases[service] = Releases(dict(self.rows(sql, service)))
        return self._releases[service]

    def next_number(self, table: str) -> int:
        """Return the next id of a table of which no row is ever deleted."""
        sql = {
            "issues": "SELECT coalesce(max(number), 0) + 1 FROM issues",
            "merges": "SELECT coalesce(max(id), 0) + 1 FROM merges",
            "comments": "SELECT coalesce(max(id), 0) + 1 FROM comments",
            "events": "SELECT coalesce(max(id), 0) + 1 FROM events",
            "rules": "SELECT coalesce(max(id), 0) + 1 FROM rules",
        }
        return int(self.row(sql[table])[0])

    def log(
        self, issue: int, actor: str, kind: ActivityKind, before: str = "", after: str = "", detail: str = ""
    ) -> None:
        """Add an entry to the activity log of an issue, which is thereby touched."""
        self.touched.add(issue)
        self._activity.append((issue, self.now_ns, actor, kind, before, after, detail))
        self.changed = True

    def tell(self, kind: EventKind, issue: tuple[int, str, str], where: tuple[str, str], detail: str) -> None:
        """Keep an event; ``issue`` is number, id and service, ``where`` release and environment."""
        number, issue_id, service = issue
        event_id = self.events[-1].id + 1 if self.events else self.next_number("events")
        self.events.append(Event(event_id, kind, self.now_ns, issue_id, service, *where, detail))
        self._event_rows.append((event_id, kind, self.now_ns, number, *where, detail))
        self.changed = True

    def finish(self) -> int:
        """Write what was gathered, the last step before the commit; gives the version that it makes."""
        sql = "INSERT INTO activity (issue, time_ns, actor, kind, before, after, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self.write_many(sql, self._activity)
        self.write_many("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", self._event_rows)
        if self.changed:
            self.write("UPDATE facts SET value = value + 1 WHERE name = 'version'")
        return int(self.row("SELECT value FROM facts WHERE name = 'version'")[0])
