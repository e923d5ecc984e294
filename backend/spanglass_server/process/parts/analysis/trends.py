"""Trends of one data directory, put together: what watches quantities, and the board that API and pages read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.supervision import Supervisor
from spanglass_server.trends.board import Board
from spanglass_server.trends.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.ports import QuerySession
    from spanglass_server.trends.thresholds import Threshold

_STEP_EVERY_S: Final = 2.0


class TrendWatch:
    """Watches from the constructor on; ``board`` is what API and pages read."""

    def __init__(
        self,
        telemetry: Telemetry,
        node: StorageNode,
        series: Callable[[QuerySession], StoredSeries],
        clock_ns: Callable[[], int],
        thresholds: Callable[[], Sequence[Threshold]],
    ) -> None:
        self._node, self._series = node, series
        self._stop = Stop()
        self.board = Board()
        self._watcher = Watcher(self.board, self._ask, node.first_ns, clock_ns, thresholds)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(lambda: self._supervisor.problems)
        step = self._stop.unless_stopped(self._watcher.step)
        self._task = self._supervisor.every(_STEP_EVERY_S, "trends", step, self._watcher.is_due)

    def _ask(self, question: Callable[[SeriesSource], Any]) -> Any:
        return self._node.engine.run_paced(lambda session: question(self._series(session)), self._stop)

    def close(self) -> None:
        """Interrupt what is asked; all of it is read anew after the next start."""
        self._supervisor.stop()
        self._stop.until_ended([self._task])
