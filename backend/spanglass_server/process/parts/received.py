"""The ledger of received bytes of one data directory, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.received.ledger import FILE_NAME, ReceivedLedger
from spanglass_server.supervision import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings

#: A crash loses as much of the count, and nothing else.
_NOTE_EVERY_S: Final = 60.0


class Receipts:
    """Counts from the constructor on; ``ledger`` is what costs ask.

    Raises ``OSError`` when the directory can't be used.
    """

    def __init__(
        self, settings: Settings, telemetry: Telemetry, node: StorageNode, clock_ns: Callable[[], int]
    ) -> None:
        self.ledger = ReceivedLedger(settings.data.dir.resolve() / FILE_NAME, telemetry, clock_ns)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(lambda: self._supervisor.problems)
        self._task = self._supervisor.every(_NOTE_EVERY_S, "received bytes", self.ledger.note)

    def close(self) -> None:
        """Keep what came last, and release the file."""
        self._supervisor.stop()
        self._task.join(_NOTE_EVERY_S)
        try:
            self.ledger.note()
        finally:
            self.ledger.close()
