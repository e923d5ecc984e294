"""The objectives of one server, put together: where they stand, what counts them, their rules and their series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.health.desk import MOST_CHANGES
from spanglass_server.health.model import check_subject
from spanglass_server.slo import book
from spanglass_server.slo.checks import minutes_of
from spanglass_server.slo.counting.counter import Counter
from spanglass_server.slo.counting.ledger import Ledger
from spanglass_server.slo.counting.minutes import DAY, Minutes
from spanglass_server.slo.desk import SloDesk
from spanglass_server.slo.model import MINUTE_NS
from spanglass_server.slo.rules import ObjectiveRules
from spanglass_server.slo.series import ObjectiveSeries
from spanglass_server.slo.store.store import FILE_NAME, SloStore
from spanglass_server.store.disk import DISK
from spanglass_server.store.ports import QueryTimeoutError
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.supervision import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.health.desk import HealthDesk
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.ports import QuerySession

_KEPT: Final = "slos"
_COUNT_EVERY_S: Final = 5.0


class Slos:
    """``desk`` is what API and pages use, ``rules`` what alerting reads, ``series`` what PromQL does.

    Counts from ``start`` on, which is given what knows of health checks. Raises ``OSError`` or ``SloStoreError`` when
    the directory can't be used.
    """

    def __init__(
        self, settings: Settings, telemetry: Telemetry, node: StorageNode, clock_ns: Callable[[], int]
    ) -> None:
        self._node = node
        self._clock_ns = clock_ns
        self._stop = Stop()
        self._health: HealthDesk | None = None
        directory = settings.data.dir.resolve()
        found = book.Book(settings.file, settings.slo.dir, directory / _KEPT, DISK, clock_ns)
        self._store = SloStore(directory / FILE_NAME)
        self._ledger = Ledger(self._store, self, clock_ns)
        self._book = found
        self.desk = SloDesk(found, self._ledger, self._store, clock_ns, self._checks)
        self.rules = ObjectiveRules(found)
        keep_minutes = settings.slo.keep_history_ns // MINUTE_NS or 100 * 366 * DAY
        self._counter = Counter(self._ledger, found.enabled, self._ask, keep_minutes)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(lambda: self._supervisor.problems)

    def start(self, health: HealthDesk) -> None:
        """Begin to count."""
        self._health = health
        step = self._stop.unless_stopped(self._counter.step)
        self._task = self._supervisor.every(_COUNT_EVERY_S, "objectives", step, self._counter.has_work)

    def series(self, session: QuerySession) -> ObjectiveSeries:
        """Events of objectives as a session sees them."""
        return ObjectiveSeries(self._book.enabled, self._ledger.view(session))

    def minutes(self, uid: str, first: int, last: int) -> Minutes:
        """See ``CheckTimes``."""
        if self._stop.stopped:  # nothing would be kept as counted
            raise QueryTimeoutError("the server is stopping: ask again when it is there again")
        if self._health is None or first >= last:
            return Minutes.none(first, last)
        subject, start_ns = check_subject(uid), first * MINUTE_NS
        changes = self._health.changes(subject, start_ns=start_ns, end_ns=last * MINUTE_NS, limit=MOST_CHANGES)
        at_start = self._health.status_at(subject, start_ns)
        return minutes_of(changes[::-1], at_start, first, last, self._clock_ns())

    def _checks(self) -> frozenset[str] | None:
        return None if self._health is None else frozenset(view.uid for view in self._health.checks())

    def _ask(self, query: Callable[[QuerySession], Any]) -> Any:
        return self._node.engine.run_here(query, self._stop)

    def stop(self) -> None:
        """Interrupt what is counted; it is counted after the next start. Health checks are not asked any more."""
        self._supervisor.stop()
        self._stop.until_ended([self._task])

    def close(self) -> None:
        """Release the file."""
        self._store.close()


def problems_of(settings: Settings) -> list[str]:
    """What is wrong with the objectives that the settings name, without a data directory."""
    return book.problems_of(settings.file, settings.slo.dir)
