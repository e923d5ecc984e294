"""Incidents of one server, put together: the alerts that become them, and who is told."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.problems.companions import companions
from spanglass_server.incidents.config.book import IncidentBook
from spanglass_server.incidents.desk import IncidentDesk
from spanglass_server.incidents.lifecycle import LIVE
from spanglass_server.incidents.ports import IncidentFilter
from spanglass_server.incidents.running.announcing import Announcer
from spanglass_server.incidents.running.correlator import Correlator
from spanglass_server.incidents.running.looking import Around
from spanglass_server.incidents.running.releases import ReleaseWatch
from spanglass_server.incidents.store.sqlite import FILE_NAME, SqliteIncidentStore
from spanglass_server.notifications.people.rota import on_call
from spanglass_server.pace import Pace
from spanglass_server.self_metrics import registry as own
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.supervision import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.ports import QuerySession

_LOOK_EVERY_S = 0.5
_RELEASES_EVERY_S = 2.0
_PURGE_EVERY_S = 3600.0
#: Who works with whom is asked once so often for each service, and of so many services in that time: a storm of alerts
#: of more is put together without their neighbours, in time.
_REMEMBERED_S, _MOST_ASKED = 30.0, 100


def problems_of(settings: Settings) -> list[str]:
    """What is wrong with the incidents of the settings file, without a data directory."""
    return list(IncidentBook(settings.file).problems())


class Incidents:
    """The incidents of one data directory, and ``desk``, which is what API and pages use.

    Runs from the constructor on, and announces over ``notifications``. Raises ``OSError`` or ``IncidentStoreError``
    when the directory can't be used.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        node: StorageNode,
        alerting: Desk,
        notifications: NotificationDesk,
        clock_ns: Callable[[], int],
    ) -> None:
        self._engine = node.engine
        self._clock_ns = clock_ns
        self._stop = Stop()
        self._known: dict[str, tuple[float, frozenset[str]]] = {}
        self._book = notifications.book
        book = IncidentBook(settings.file)
        self._store = SqliteIncidentStore(settings.data.dir.resolve() / FILE_NAME)
        self.desk = IncidentDesk(self._store, book, alerting, clock_ns, self._channels)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(self._problems)
        telemetry.watch(own.INCIDENTS_LIVE, self._live_by_status)
        around = Around(alerting.store, self._store, book.settings, self._companions, clock_ns, self._on_call)
        every, works = self._supervisor.every, self._stop.unless_stopped
        correlator = Correlator(around)
        announcer = Announcer(self._store, book.settings, notifications.announce)
        releases = ReleaseWatch(self._store, self._ask, clock_ns, Pace())
        self._tasks = [
            every(_LOOK_EVERY_S, "incidents", works(correlator.step), correlator.has_news),
            every(_RELEASES_EVERY_S, "incident releases", works(releases.step), releases.is_due),
            every(_LOOK_EVERY_S, "incident announcements", announcer.step, announcer.has_news),
            every(_PURGE_EVERY_S, "incident purge", self._purge),
        ]

    def _ask(self, query: Callable[[QuerySession], Any]) -> Any:
        # minutes before an alert, of which columns were made already; and releases, which are asked for again
        return self._engine.run_paced(query, self._stop)

    def _companions(self, service: str, before_ns: int) -> frozenset[str]:
        known = self._known.get(service)
        now_s = time.monotonic()
        if known is not None and now_s - known[0] < _REMEMBERED_S:
            return known[1]
        self._known = {name: each for name, each in self._known.items() if now_s - each[0] < _REMEMBERED_S}
        if len(self._known) >= _MOST_ASKED:
            return frozenset()
        found: frozenset[str] = self._ask(lambda session: companions(session, service, before_ns))
        self._known[service] = (now_s, found)
        return found

    def _on_call(self, name: str, at_ns: int) -> str:
        rota = self._book.configuration().rotas.get(name)
        return name if rota is None else on_call(rota, at_ns).person

    def _purge(self) -> None:
        keep_ns = self.desk.book.settings().keep_ns
        if keep_ns:
            self._store.purge(self._clock_ns() - keep_ns)

    def _channels(self) -> Collection[str]:
        return self._book.configuration().channels

    def _problems(self) -> list[str]:
        book = self.desk.book
        settings = book.settings()
        # it is asked every second, and most settings name no channel that would have to be known
        nowhere = settings.leading_nowhere(self._channels()) if settings.leading_nowhere(()) else []
        return [*book.problems(), *nowhere, *self._supervisor.problems]

    def _live_by_status(self) -> Mapping[tuple[str, ...], float]:
        counted: Counter[tuple[str, ...]] = Counter()
        for (status, _), count in self._store.counts(IncidentFilter()).items():
            if status in LIVE:
                counted[(str(status),)] += count
        return counted

    def close(self) -> None:
        """Interrupt what is looked at, and release the file; what was not taken in is after the start."""
        self._supervisor.stop()
        self._stop.until_ended(self._tasks)
        self._store.close()
