"""Reports of one data directory, put together: their store, and the thread that makes them of the API's answers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.ports import ApiError
from spanglass_server.reports.desk import ReportDesk
from spanglass_server.reports.errors import AskError
from spanglass_server.reports.store.store import FILE_NAME, ReportStore
from spanglass_server.reports.worker import Worker
from spanglass_server.supervision import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.pages.ports import Api
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.reports.model import Entry
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.supervision import Task

_INSIST_EVERY_S: Final = 0.05
_NOT_YET: Final = "the server starts"


class Reports:
    """``desk`` is what API and pages use; nothing is made before ``begin``.

    Raises ``OSError`` or ``ReportStoreError`` when the directory can't be used.
    """

    def __init__(
        self, settings: Settings, telemetry: Telemetry, node: StorageNode, clock_ns: Callable[[], int]
    ) -> None:
        self._api: Api | None = None
        self._store = ReportStore(settings.data.dir.resolve() / FILE_NAME)
        self._worker = Worker(self._store, self._ask, clock_ns, self._over)
        self.desk = ReportDesk(
            self._store, self._worker, clock_ns, lambda: str(uuid.uuid4()), most=settings.reports.max_reports,
            keep_ns=settings.reports.keep_ns,
        )  # fmt: skip
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(lambda: self._supervisor.problems)
        self._task: Task | None = None

    def begin(self, api: Api) -> None:
        """Make reports of the answers of an API from now on."""
        self._api = api
        self._task = self._supervisor.start("reports", self._worker.step)

    async def _ask(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """See ``reports.asking.Ask``; called in the loop of the thread that makes reports."""
        if self._api is None:
            raise AskError("unavailable", _NOT_YET)
        try:
            return await self._api(path, dict(params))
        except ApiError as error:
            raise AskError(error.code, str(error)) from error

    def _over(self, entry: Entry) -> None:
        """See ``Worker``."""

    def close(self) -> None:
        """Stop, and release the file; a report that is being made is begun anew after the start."""
        self._supervisor.stop()
        self._worker.stop()
        while self._task is not None and not self._task.join(_INSIST_EVERY_S):
            self._worker.stop()
        self._store.close()
