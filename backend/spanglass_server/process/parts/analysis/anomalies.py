"""Anomalies of one data directory, put together: what watches series, and the desk that API and pages read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.anomalies.announcing import Announcer
from spanglass_server.anomalies.desk import AnomalyDesk
from spanglass_server.anomalies.store.store import FILE_NAME, AnomalyStore
from spanglass_server.anomalies.watching.watcher import Watcher
from spanglass_server.pace import Pace
from spanglass_server.process.parts.recording import IngestSink
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.supervision import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.anomalies.watching.watcher import Question
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.ports import QuerySession

_LOG = logging.getLogger(__name__)
_STEP_EVERY_S: Final = 2.0
#: A metric that is older than five minutes is no longer there for rules.
_ANNOUNCE_EVERY_S: Final = 60.0


class Anomalies:
    """Watches from the constructor on, unless that is switched off; ``desk`` is what API and pages use.

    ``used`` is how often rules name a metric. Raises ``OSError`` or ``AnomalyStoreError`` when the directory can't be
    used.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        node: StorageNode,
        series: Callable[[QuerySession], StoredSeries],
        used: Callable[[str], int],
        clock_ns: Callable[[], int],
    ) -> None:
        self._node, self._series = node, series
        self._stop = Stop()
        self._store = AnomalyStore(settings.data.dir.resolve() / FILE_NAME)
        self._watcher = Watcher(
            self._store, self._ask, node.first_ns, clock_ns, Pace(), used,
            settings.anomalies.max_series,
        )  # fmt: skip
        is_on = settings.anomalies.enabled
        self.desk = AnomalyDesk(self._store, self._watcher if is_on else None, clock_ns)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(lambda: self._supervisor.problems)
        self._announcer = Announcer(self.desk, IngestSink(node.ingest), clock_ns)
        step = self._stop.unless_stopped(self._watcher.step)
        self._tasks = [
            self._supervisor.every(_STEP_EVERY_S, "anomalies", step, self._watcher.is_due),
            self._supervisor.every(_ANNOUNCE_EVERY_S, "metrics of anomalies", self._announce),
        ] if is_on else []  # fmt: skip

    def _ask(self, question: Question) -> Any:
        # of each new part all metrics are asked for, one after the other
        return self._node.engine.run_paced(lambda session: question(session, self._series(session).share()), self._stop)

    def _announce(self) -> None:
        if problem := self._announcer.announce():
            _LOG.warning("metrics of anomalies: %s", problem)

    def close(self) -> None:
        """Interrupt what is asked, and release the file; the past is read anew after the next start."""
        self._supervisor.stop()
        self._stop.until_ended(self._tasks)
        self._store.close()
