"""Performance findings of one data directory, put together: what looks for them, and who is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.findings.announcing import Announcer
from spanglass_server.findings.desk import FindingDesk
from spanglass_server.findings.looker import Looker
from spanglass_server.findings.store.store import FILE_NAME, FindingStore
from spanglass_server.leaks.looking import LeakWatch
from spanglass_server.pace import Pace
from spanglass_server.process.parts.recording import IngestSink
from spanglass_server.signals import Signal
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.supervision import Supervisor
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.ports import QuerySession

_LOG = logging.getLogger(__name__)
#: So often there is a look, unless an early one is to come; and so often it is asked whether there is to be one.
_LOOK_EVERY_NS: Final = 30 * NS_PER_SECOND
_ASK_EVERY_S: Final = 4.0


class Findings:
    """Looks from the constructor on; ``desk`` is what API and pages use.

    Raises ``OSError`` or ``FindingStoreError`` when the directory can't be used.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        node: StorageNode,
        series: Callable[[QuerySession], StoredSeries],
        clock_ns: Callable[[], int],
    ) -> None:
        self._node, self._series = node, series
        self._stop = Stop()
        self._clock_ns = clock_ns
        self._looked_ns = 0
        self._store = FindingStore(settings.data.dir.resolve() / FILE_NAME)
        self.desk = FindingDesk(self._store, clock_ns)
        self._announcer = Announcer(self.desk, IngestSink(node.ingest), clock_ns)
        self._looker = Looker(self._store, self._ask, lambda: self._arrived_ns(Signal.SPANS), clock_ns, Pace())
        self._leaks = LeakWatch(self._store, self._ask_series, lambda: self._arrived_ns(Signal.METRICS), clock_ns)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(lambda: self._supervisor.problems)
        step = self._stop.unless_stopped(self._step)
        self._task = self._supervisor.every(_ASK_EVERY_S, "findings", step, self._is_due)

    def _ask(self, query: Callable[[QuerySession], Any]) -> Any:
        # a minute is over for 20 s when it is looked at: only an early look, at one that is not over, needs the newest
        return self._node.engine.run_paced(query, self._stop, needs_newest=self._looker.needs_newest)

    def _ask_series(self, question: Callable[[SeriesSource], Any]) -> Any:
        return self._node.engine.run_paced(lambda session: question(self._series(session)), self._stop)

    def _arrived_ns(self, signal: Signal) -> int:
        return self._node.store.contents.snapshot.arrived[signal].time_ns

    def _is_due(self) -> bool:
        return self._is_look_due() or self._leaks.is_due()

    def _is_look_due(self) -> bool:
        is_time = self._looker.needs_newest or not 0 <= self._clock_ns() - self._looked_ns < _LOOK_EVERY_NS
        return (is_time and self._looker.has_news()) or self._looker.is_past_due()

    def _step(self) -> None:
        before = self._store.changes
        if self._is_look_due():
            self._looked_ns = self._clock_ns()
            self._looker.step()
        if self._leaks.is_due():
            self._leaks.step()
        if self._store.changes != before and (problem := self._announcer.announce()):
            _LOG.warning("metrics of findings: %s", problem)

    def close(self) -> None:
        """Interrupt what is looked at, and release the file; it is looked at after the start."""
        self._supervisor.stop()
        self._stop.until_ended([self._task])
        self._store.close()
