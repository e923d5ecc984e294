"""Bytes that were received, by hour and signal: a SQLite file, since nothing that is stored tells of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from spanglass_server.query.costs.pricing import Received
from spanglass_server.self_metrics.registry import RECEIVED_BYTES
from spanglass_server.signals import SENT, Signal
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spanglass_server.self_metrics.registry import Telemetry

FILE_NAME: Final = "received.sqlite"
HOUR_NS: Final = 3600 * NS_PER_SECOND
#: Hours are kept for so long.
_KEPT: Final = 400 * 24
_WORDING = Wording(
    "the ledger of received bytes",
    "costs by bytes received begin anew",
    OSError,
    OSError,
)


class ReceivedLedger:
    """Methods may be called from any thread, ``note`` by one at a time. ``OSError`` where the file can't be used."""

    def __init__(self, path: Path, telemetry: Telemetry, clock_ns: Callable[[], int]) -> None:
        self._file = SqliteFile(path, [read_sql(__package__, f"schema_{number}") for number in (1, 2)], _WORDING)
        self._telemetry, self._clock_ns = telemetry, clock_ns
        self._noted: dict[str, float] = {}
        self._noted_ns = clock_ns()

    def note(self) -> None:
        """Keep what came since this was last called, as of the present hour."""
        totals: defaultdict[str, float] = defaultdict(float)
        for labels, value in self._telemetry.values(RECEIVED_BYTES).items():
            totals[labels[0]] += value
        new = {signal: value - self._noted.get(signal, 0.0) for signal, value in totals.items()}
        now_ns = self._clock_ns()
        hour = now_ns // HOUR_NS
        rows = [(hour, signal, value) for signal, value in new.items() if value > 0]
        if rows:
            with self._file.write() as connection:
                # they came since the last look, at which there was nothing
                connection.execute(
                    "INSERT INTO began SELECT ? WHERE NOT EXISTS (SELECT 1 FROM began) "
                    "AND NOT EXISTS (SELECT 1 FROM received)",
                    (min(max(self._noted_ns, hour * HOUR_NS), now_ns),),
                )
                connection.executemany(
                    "INSERT INTO received VALUES (?, ?, ?) "
                    "ON CONFLICT (hour, signal) DO UPDATE SET bytes = bytes + excluded.bytes",
                    rows,
                )
                connection.execute("DELETE FROM received WHERE hour < ?", (hour - _KEPT,))
        self._noted, self._noted_ns = dict(totals), now_ns

    def of(self, start_ns: int, end_ns: int) -> Received:
        """What was received in a range, by signal; an hour that lies in it in part counts by that part.

        The bytes of the first hour came from its first instant on, those of the present one until now.
        """
        with self._file.read() as connection:
            (first,) = connection.execute("SELECT min(hour) FROM received").fetchone()
            (began_ns,) = connection.execute("SELECT max(since_ns) FROM began").fetchone()
            rows = connection.execute(
                "SELECT hour, signal, bytes FROM received WHERE hour BETWEEN ? AND ?",
                (start_ns // HOUR_NS, (end_ns - 1) // HOUR_NS),
            ).fetchall()
        if first is None:
            return Received()
        found = dict.fromkeys(SENT, 0.0)
        now_ns, first_ns = self._clock_ns(), max(first * HOUR_NS, began_ns or 0)
        for hour, signal, size in rows:
            begin_ns = max(hour * HOUR_NS, first_ns)
            over_ns = min((hour + 1) * HOUR_NS, max(now_ns, begin_ns + 1))
            inside_ns = min(over_ns, end_ns) - max(begin_ns, start_ns)
            found[Signal(signal)] += size * max(0, inside_ns) / (over_ns - begin_ns)
        return Received(max(start_ns, first_ns), found)

    def close(self) -> None:
        """Release the file."""
        self._file.close()
