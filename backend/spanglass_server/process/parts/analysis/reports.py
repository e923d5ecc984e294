"""Reports of one data directory, put together: their store, and the thread that makes them of the API's answers."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.alerting.severity import Severity
from spanglass_server.notifications.desk import Announcement
from spanglass_server.notifications.model import Attachment, Reason
from spanglass_server.notifications.ports import NotificationStoreError
from spanglass_server.pages.ports import ApiError
from spanglass_server.reports.desk import ReportDesk
from spanglass_server.reports.errors import AskError, NotDoneError, UnknownReportError
from spanglass_server.reports.rendering.formats import FORMATS
from spanglass_server.reports.schedules.scheduler import Scheduler
from spanglass_server.reports.store.schedules import ScheduleStore
from spanglass_server.reports.store.store import FILE_NAME, ReportStore
from spanglass_server.reports.worker import Worker
from spanglass_server.supervision import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from spanglass_server.pages.ports import Api
    from spanglass_server.process.parts.on_call.notifications import Notifications
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.reports.model import Entry
    from spanglass_server.reports.schedules.scheduler import Telling
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.supervision import Task

_LOG = logging.getLogger(__name__)
_INSIST_EVERY_S: Final = 0.05
_LOOK_EVERY_S: Final = 10.0
_NOT_YET: Final = "the server starts"


def new_id() -> str:
    """The id of a report or schedule."""
    return str(uuid.uuid4())


class _Told:
    """Notifications as schedules need them: see ``Tell``."""

    def __init__(self, notifications: Notifications) -> None:
        self._desk = notifications.desk
        self.base_url = notifications.address.url

    def channels(self) -> Collection[str]:
        """See ``Tell``."""
        return self._desk.book.configuration().channels.keys()

    def tell(self, telling: Telling) -> None:
        """See ``Tell``: it waits in the outbox, and is tried until it arrives."""
        announcement = Announcement(
            key=telling.key,
            thread=telling.key,
            title=telling.title,
            text=telling.text,
            severity=Severity.WARNING if telling.failed else Severity.INFO,
            link=telling.link,
            channels=telling.channels,
            why="a schedule of reports names the channel",
            reason=Reason.REPORT,
            attachment=telling.file,
        )
        try:
            self._desk.announce(announcement)
        except NotificationStoreError as error:
            raise OSError(str(error)) from error


class Reports:
    """``desk`` is what API and pages use; nothing is made before ``begin``.

    Raises ``OSError`` or ``ReportStoreError`` when the directory can't be used.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        node: StorageNode,
        notifications: Notifications,
        clock_ns: Callable[[], int],
    ) -> None:
        self._api: Api | None = None
        self._store = ReportStore(settings.data.dir.resolve() / FILE_NAME)
        self._told = _Told(notifications)
        self._worker = Worker(self._store, self._ask, clock_ns, self._over)
        self.desk = ReportDesk(
            self._store, self._worker, clock_ns, new_id, most=settings.reports.max_reports,
            keep_ns=settings.reports.keep_ns,
        )  # fmt: skip
        self.scheduler = Scheduler(ScheduleStore(self._store.file), self.desk, self._told, clock_ns, new_id)
        notifications.attachment = self._attachment
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(lambda: self._supervisor.problems)
        self._tasks: list[Task] = []

    def begin(self, api: Api) -> None:
        """Make reports of the answers of an API from now on."""
        self._api = api
        self._over(None)  # of what was over when the server ended
        self._tasks.append(self._supervisor.start("reports", self._worker.step))
        scheduler = self.scheduler
        self._tasks.append(self._supervisor.every(_LOOK_EVERY_S, "report schedules", scheduler.look, scheduler.is_due))

    async def _ask(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """See ``reports.asking.Ask``; called in the loop of the thread that makes reports."""
        if self._api is None:
            raise AskError("unavailable", _NOT_YET)
        try:
            return await self._api(path, dict(params))
        except ApiError as error:
            raise AskError(error.code, str(error)) from error

    def _over(self, entry: Entry | None) -> None:
        """See ``Worker``: channels of schedules are told; those that can't be now are at the next look."""
        try:
            self.scheduler.tell_all()
        except OSError as error:
            _LOG.warning("channels could not be told of the report %s: %s", entry.id if entry else "", error)

    def _attachment(self, name: str) -> Attachment | None:
        """The file of a report by its id and form; None for one that was deleted."""
        report_id, _, form = name.partition("/")
        try:
            report = self.desk.content(report_id)
        except (UnknownReportError, NotDoneError, OSError):
            return None
        kind = FORMATS[form]
        content = kind.write(report, self._told.base_url())
        return Attachment(
            f"{report['kind']}-{report['window']['end_time'][:10]}.{kind.suffix}", kind.media_type, content
        )

    def close(self) -> None:
        """Stop, and release the file; a report that is being made is begun anew after the start."""
        self._supervisor.stop()
        self._worker.stop()
        for task in self._tasks:
            while not task.join(_INSIST_EVERY_S):
                self._worker.stop()
        self._store.close()
