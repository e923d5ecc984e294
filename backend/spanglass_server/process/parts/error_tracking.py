"""Error tracking of one data directory, put together: deriving, the issue store, and what keeps both in step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.issues.occurrences.deriving import Deriver
from spanglass_server.issues.occurrences.regrouping import Regrouping
from spanglass_server.issues.occurrences.releases_seen import ReleasesSeen
from spanglass_server.issues.occurrences.sightings import Sightings
from spanglass_server.issues.sqlite_store import FILE_NAME, SqliteIssueStore
from spanglass_server.issues.tracker import IssueTracker
from spanglass_server.query.issues.occurrences.sources import told_of
from spanglass_server.query.issues.occurrences.stored import since_ignored, unknown_keys
from spanglass_server.self_metrics import registry as own

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from spanglass_server.issues.model import Due, Sighting
    from spanglass_server.issues.occurrences.told import Told
    from spanglass_server.issues.states import IgnoredCounts
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.signals import Signal
    from spanglass_server.store.sessions.engine import Engine
    from spanglass_server.store.store import Store
    from spanglass_server.supervision import Supervisor, Task

_OBSERVE_EVERY_S = 1.0
_LOOK_AT_IGNORED_EVERY_S = 10.0


class ErrorTracking:
    """Derives from the start on; ``begin`` is called when stored records can be asked.

    Raises ``OSError`` or ``IssueStoreError`` when the directory can't be used.
    """

    regrouping: Regrouping
    _engine: Engine

    def __init__(self, data_dir: Path, max_issues: int, telemetry: Telemetry, clock_ns: Callable[[], int]) -> None:
        self.issues = SqliteIssueStore(data_dir / FILE_NAME, max_issues)
        self._clock_ns = clock_ns
        self._sightings = Sightings()
        releases = ReleasesSeen()
        self._deriver = Deriver(
            self.issues.route, self._sightings, releases, lambda: telemetry.add(own.UNGROUPED_EXCEPTIONS, 1)
        )
        self.tracker = IssueTracker(self.issues, self._deriver, self._sightings, releases, self, clock_ns)

    def derive(self, signal: Signal, table: Any) -> Any | None:
        """Return the occurrences of a table of new records; see ``Deriver``."""
        return self._deriver.derive(signal, table)

    def undo(self) -> None:
        """Forget the last table, which could not be stored."""
        self._deriver.undo()

    def begin(self, store: Store, engine: Engine) -> None:
        """Make everything ready that reads what is stored."""
        self._engine = engine
        self.regrouping = Regrouping(
            self.issues, store, self._told_of, self._sightings, self.tracker.observe, self._clock_ns
        )

    def start(self, supervisor: Supervisor) -> list[Task]:
        """Start the threads."""
        return [
            supervisor.every(_OBSERVE_EVERY_S, "issues", self.tracker.observe, self.tracker.has_news),
            supervisor.every(_OBSERVE_EVERY_S, "stored issues", self.tracker.find_stored, self.tracker.seeks_stored),
            supervisor.every(_OBSERVE_EVERY_S, "regrouping", self.regrouping.step, self.regrouping.is_asked),
            supervisor.every(_LOOK_AT_IGNORED_EVERY_S, "ignored issues", self.tracker.look_at_ignored),
        ]

    def sightings(self, known: Collection[int]) -> Sequence[Sighting]:
        """See ``StoredOccurrences``."""
        return self._engine.run_here(lambda session: unknown_keys(session, known))

    def counts(self, due: Sequence[Due], now_ns: int) -> Mapping[str, IgnoredCounts]:
        """See ``StoredOccurrences``."""
        return self._engine.run_here(lambda session: since_ignored(session, due, now_ns))

    def _told_of(self, occurrences: pa.Table, keys: Sequence[str]) -> list[Told | None]:
        return self._engine.run_here(lambda session: told_of(session, occurrences, keys))

    def close(self) -> None:
        """Release the files, once all threads have ended."""
        self.issues.close()
