"""The reports of a made-up server: a real store and worker, whose questions go to whatever API it is told of."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from spanglass_server.reports.desk import ReportDesk
from spanglass_server.reports.errors import AskError
from spanglass_server.reports.schedules.scheduler import Scheduler
from spanglass_server.reports.store.schedules import ScheduleStore
from spanglass_server.reports.store.store import ReportStore
from spanglass_server.reports.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class ToldChannels:
    """Channels that are told; ``problems`` are raised first."""

    def __init__(self) -> None:
        self.tellings: list[Any] = []
        self.problems: list[Exception] = []

    def channels(self) -> set[str]:
        """See ``Tell``."""
        return {"ops-mail", "chat"}

    def tell(self, telling: Any) -> None:
        """See ``Tell``."""
        if self.problems:
            raise self.problems.pop()
        self.tellings.append(telling)


class Reported:
    """``work`` makes what waits; ``client`` asks the API."""

    def __init__(self, path: Path, clock_ns: Callable[[], int], *, most: int = 100) -> None:
        self.client: Any = None
        self.over: list[str] = []
        numbers = itertools.count(1)
        self.store = ReportStore(path)
        self.worker = Worker(self.store, self.ask, clock_ns, lambda entry: self.over.append(entry.id))
        self.desk = ReportDesk(
            self.store, self.worker, clock_ns, lambda: f"r{next(numbers)}", most=most, keep_ns=1000 * 10**9
        )
        self.told = ToldChannels()
        self.schedules = ScheduleStore(self.store.file)
        self.scheduler = Scheduler(self.schedules, self.desk, self.told, clock_ns, lambda: f"s{next(numbers)}")

    async def ask(self, path: str, params: Any) -> Any:
        """Ask over HTTP; errors are told as those of the server are."""
        answer = self.client.get(path, params=params)
        if answer.is_success:
            return answer.json()
        error = answer.json()["error"]
        raise AskError(error["code"], error["message"])

    def work(self) -> None:
        """Make all that waits."""
        self.worker.wake()
        self.worker.step()

    def close(self) -> None:
        """Release the file."""
        self.store.close()
