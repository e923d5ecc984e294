"""What is known of findings, in a SQLite file: what was seen of each by hour, and what people say of them."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.findings.judging.durations import Durations
from spanglass_server.findings.judging.growth import Sums
from spanglass_server.findings.judging.regressions import DAY_HOURS, HOUR_NS, HourOf
from spanglass_server.findings.model import Kind, Known, Place, State, UnknownFindingError
from spanglass_server.findings.store.database import Database, statement
from spanglass_server.findings.store.evidence import merged, read_evidence, write_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.findings.model import Dismissal, Sighting

FILE_NAME: Final = "findings.sqlite"
#: Figures are kept for eight days, findings that are seen no more for thirty, and so many of them.
_KEPT_HOURS, _KEPT_DAYS, _MOST = 8 * DAY_HOURS, 30, 2000

#: A service and an operation of it.
Operation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at minutes of spans, all of one hour, gave. ``durations`` and ``sizes`` are rows of statements.

    A look that ``is_late`` is at what came into minutes that were looked at before. ``alike`` is of a ``Stretch``. What
    the first look of a day gave stands in place of what an early one did.
    """

    minutes: Sequence[int]
    weight: float
    sightings: Sequence[Sighting]
    durations: Sequence[Mapping[str, Any]] = ()
    sizes: Sequence[Mapping[str, Any]] = ()
    is_late: bool = False
    alike: Mapping[Place, int] = field(default_factory=dict)
    is_first: bool = False

    @property
    def hour(self) -> int:
        """The hour that the minutes lie in, since 1970."""
        return self.minutes[0] // 60


class FindingStore:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    def __init__(self, path: Path) -> None:
        self._file = Database(path)
        self._purged_hour = -1

    @property
    def changes(self) -> int:
        """How often something was changed since the start."""
        return self._file.commits

    def looked_at(self, first_minute: int) -> set[int]:
        """The minutes from one on that were looked at."""
        with self._file.read() as connection:
            return {
                row[0] for row in connection.execute("SELECT minute FROM minutes WHERE minute >= ?", (first_minute,))
            }

    def first_minute(self, first: int) -> int | None:
        """The first minute from one on that was looked at; None without any."""
        with self._file.read() as connection:
            found = connection.execute("SELECT min(minute) FROM minutes WHERE minute >= ?", (first,)).fetchone()
        return None if found[0] is None else int(found[0])

    def keep(self, look: Look, now_ns: int) -> None:
        """Keep what a look gave, all or nothing, and once an hour forget what is old."""
        with self._file.write() as connection:
            minutes = [(minute,) for minute in look.minutes]
            new = connection.executemany("INSERT OR IGNORE INTO minutes VALUES (?)", minutes).rowcount
            if not new and not look.is_late:
                return
            sightings = [replace(one, weight=look.weight) for one in look.sightings]
            if look.is_first:
                self._see_instead(connection, sightings, now_ns)
            else:
                self._see(connection, sightings)
            alike = [(look.hour, count * look.weight, *_text(place)) for place, count in look.alike.items()]
            connection.executemany(statement("add_alike"), alike)
            _add_durations(connection, look)
            connection.executemany(statement("add_sizes"), [{**row, "hour": look.hour} for row in look.sizes])
            if now_ns // HOUR_NS != self._purged_hour:
                _purge(connection, now_ns)
        self._purged_hour = now_ns // HOUR_NS

    def see(self, sightings: Sequence[Sighting]) -> None:
        """Keep what was seen beside the looks at minutes."""
        if sightings:
            with self._file.write() as connection:
                self._see(connection, sightings)

    def see_early(self, sightings: Sequence[Sighting], now_ns: int) -> None:
        """Keep what is seen of a minute that is not over, until the first look at one that is.

        No minute of the last 24 hours was looked at before.
        """
        with self._file.write() as connection:
            self._see_instead(connection, sightings, now_ns)

    def _see_instead(self, connection: sqlite3.Connection, sightings: Sequence[Sighting], now_ns: int) -> None:
        """Keep it in place of all that was seen in the last 24 hours, and forget findings that were seen then only."""
        day = {"first_hour": _day_before(now_ns), "first_ns": _day_before(now_ns) * HOUR_NS}
        connection.execute("DELETE FROM sightings WHERE hour >= :first_hour", day)
        self._see(connection, sightings)
        connection.execute(statement("forget_unseen"), day)

    def _see(self, connection: sqlite3.Connection, sightings: Iterable[Sighting]) -> None:
        for one in sightings:
            finding, before = connection.execute(
                statement("upsert_finding"),
                {
                    "kind": one.place.kind, "service": one.place.service, "operation": one.place.operation,
                    "subject": one.place.subject, "detail": one.detail,
                    "first_ns": one.first_ns, "last_ns": one.last_ns,
                },
            ).fetchone()  # fmt: skip
            evidence = write_evidence(merged(read_evidence(before), one.evidence))
            connection.execute("UPDATE findings SET evidence = ? WHERE id = ?", (evidence, finding))
            connection.execute(
                statement("add_sighting"),
                {
                    "finding": finding, "hour": one.last_ns // HOUR_NS, "requests": one.requests * one.weight,
                    "hits": one.hits * one.weight, "calls": one.calls * one.weight,
                    "waste_ns": one.waste_ns * one.weight, "doubtful": one.doubtful * one.weight,
                    "minutes": one.minutes,
                },
            )  # fmt: skip
        connection.execute(statement("bound").strip(), {"most": _MOST})

    def doubted(self, now_ns: int) -> set[Place]:
        """Places with hits in the last 24 hours that may be of a machine that was busy."""
        with self._file.read() as connection:
            found = connection.execute(statement("doubted"), {"first_hour": _day_before(now_ns)}).fetchall()
        return {Place(Kind(kind), *names) for kind, *names in found}

    def known(self, now_ns: int, *, with_evidence: bool = True) -> list[Known]:
        """All findings, with the sums of the last 24 hours, in no order; reading evidence is most of the work."""
        with self._file.read() as connection:
            connection.row_factory = sqlite3.Row
            try:
                found = connection.execute(statement("known"), {"first_hour": _day_before(now_ns)}).fetchall()
            finally:
                connection.row_factory = None
        return [_known(row, row["evidence"] if with_evidence else "[]") for row in found]

    def one(self, finding: int, now_ns: int) -> Known:
        """One finding with its hours; ``UnknownFindingError``."""
        found = next((each for each in self.known(now_ns) if each.id == finding), None)
        if found is None:
            raise UnknownFindingError(f"there is no finding {finding}")
        with self._file.read() as connection:
            hours = connection.execute(
                "SELECT hour, hits FROM sightings WHERE finding = ? AND hour >= ? AND hits > 0 ORDER BY hour",
                (finding, _day_before(now_ns)),
            ).fetchall()
        return replace(found, hours=tuple((hour * HOUR_NS, hits) for hour, hits in hours))

    def change(self, finding: int, change: Dismissal, now_ns: int) -> None:
        """Dismiss a finding, or open it again; ``UnknownFindingError``."""
        with self._file.write() as connection:
            changed = connection.execute(
                "UPDATE findings SET state = ?, reason = ?, actor = ?, changed_ns = ? WHERE id = ?",
                (change.state, change.reason, change.actor, now_ns, finding),
            )
            if not changed.rowcount:
                raise UnknownFindingError(f"there is no finding {finding}")

    def hours_of(self, operations: Iterable[Operation], hours: Iterable[int]) -> dict[Operation, list[HourOf]]:
        """Durations of some operations in some hours."""
        found: dict[Operation, list[HourOf]] = {operation: [] for operation in operations}
        wanted = json.dumps(sorted(set(hours)))
        with self._file.read() as connection:
            for operation, of_it in found.items():
                rows = connection.execute(
                    "SELECT hour, release, total_ns, buckets FROM durations WHERE service = ? AND operation = ? "
                    "AND hour IN (SELECT value FROM json_each(?))",
                    (*operation, wanted),
                )
                of_it += [HourOf(hour, release, _durations(total_ns, text)) for hour, release, total_ns, text in rows]
        return found

    def sizes_since(self, first_hour: int) -> list[tuple[str, str, str, Sums]]:
        """Service, operation and key of all numbers of some hours, with their sums."""
        with self._file.read() as connection:
            found = connection.execute(
                "SELECT service, operation, key, sum(n), min(low), max(high), sum(x), sum(y), sum(xx), sum(yy), sum(xy)"
                " FROM sizes WHERE hour >= ? GROUP BY service, operation, key",
                (first_hour,),
            ).fetchall()
        return [(service, operation, key, Sums(*numbers)) for service, operation, key, *numbers in found]

    def releases(self, service: str) -> dict[str, int]:
        """The releases of a service that were served in the last days, and the hour (since 1970) each was first."""
        with self._file.read() as connection:
            found = connection.execute(
                "SELECT release, min(hour) FROM durations WHERE service = ? AND release <> '' GROUP BY release",
                (service,),
            ).fetchall()
        return dict(found)

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _purge(connection: sqlite3.Connection, now_ns: int) -> None:
    """Forget what is old, and figures of operations that are too few to be judged by."""
    old = {
        "this_hour": now_ns // HOUR_NS,
        "first_hour": now_ns // HOUR_NS - _KEPT_HOURS,
        "oldest_ns": now_ns - _KEPT_DAYS * DAY_HOURS * HOUR_NS,
        "most": _MOST,
    }
    for forget in statement("purge").strip().split("\n"):
        connection.execute(forget, old)


def _text(place: Place) -> tuple[str, str, str, str]:
    return place.kind.value, place.service, place.operation, place.subject


def _day_before(now_ns: int) -> int:
    return now_ns // HOUR_NS - DAY_HOURS + 1


def _add_durations(connection: sqlite3.Connection, look: Look) -> None:
    """Add the durations of some minutes to those of their hour."""
    added: dict[tuple[str, str, str], Counter[int]] = {}
    totals: Counter[tuple[str, str, str]] = Counter()
    for row in look.durations:
        key = row["service"], row["operation"], row["release"]
        added.setdefault(key, Counter())[row["bucket"]] += row["requests"]
        totals[key] += row["total_ns"]
    for key, buckets in added.items():
        service, operation, release = key
        place = service, operation, look.hour, release
        where = "WHERE service = ? AND operation = ? AND hour = ? AND release = ?"
        found = connection.execute(f"SELECT requests, total_ns, buckets FROM durations {where}", place).fetchone()  # noqa: S608 - a constant
        requests, total_ns, text = found or (0.0, 0.0, "{}")
        together = buckets + Counter(_durations(0.0, text).buckets)
        connection.execute(
            "INSERT OR REPLACE INTO durations (service, operation, hour, release, requests, total_ns, buckets) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*place, requests + buckets.total() * look.weight, total_ns + totals[key], json.dumps(together)),
        )


def _durations(total_ns: float, text: str) -> Durations:
    return Durations({int(bucket): count for bucket, count in json.loads(text).items()}, total_ns)


def _known(row: sqlite3.Row, evidence: str) -> Known:
    place = Place(Kind(row["kind"]), row["service"], row["operation"], row["subject"])
    return Known(
        id=row["id"], place=place, detail=row["detail"], state=State(row["state"]), reason=row["reason"],
        actor=row["actor"], changed_ns=row["changed_ns"], first_ns=row["first_ns"], last_ns=row["last_ns"],
        requests=row["requests"], hits=row["hits"], calls=row["calls"], waste_ns=row["waste_ns"],
        evidence=read_evidence(evidence), doubtful=row["doubtful"], minutes=row["minutes"], alike=row["alike"],
    )  # fmt: skip
