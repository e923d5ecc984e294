"""The thread that makes reports, one after the other; each can be stopped while it is made."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Final

from spanglass_server.reports.errors import AskError, ReportFailedError
from spanglass_server.reports.generating import generate
from spanglass_server.reports.model import Progress
from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.reports.asking import Ask
    from spanglass_server.reports.model import Entry, Report
    from spanglass_server.reports.store.store import ReportStore

_LOG = logging.getLogger(__name__)
#: A report that was begun so often and never ended, as when the server is killed over it, is not begun again.
_MOST_ATTEMPTS: Final = 3


class Worker:
    """Makes what waits in the store. ``step`` belongs to one thread, the rest to any.

    ``done`` is told of each report that is over.
    """

    def __init__(
        self, store: ReportStore, ask: Ask, clock_ns: Callable[[], int], done: Callable[[Entry], None]
    ) -> None:
        self._store = store
        self._ask = ask
        self._clock_ns = clock_ns
        self._done = done
        self._news = threading.Event()
        self._news.set()  # what waited when the server stopped
        self._lock = threading.Lock()
        self._current: tuple[str, asyncio.AbstractEventLoop, asyncio.Task[Report]] | None = None
        self._progress: dict[str, Progress] = {}
        self._unwritten: tuple[Entry, Report | str] | None = None  # what was made, or why not
        self._stopping = False

    def wake(self) -> None:
        """Something waits."""
        self._news.set()

    def progress(self, report_id: str) -> Progress:
        """How far a report is."""
        return self._progress.get(report_id, Progress())

    def cancel(self, report_id: str) -> None:
        """Stop making a report, if it is being made."""
        with self._lock:
            if self._current is not None and self._current[0] == report_id:
                self._interrupt()

    def stop(self) -> None:
        """Have ``step`` return; what is being made is begun anew after the start."""
        self._stopping = True
        with self._lock:
            if self._current is not None:
                self._interrupt()
        self.wake()

    def _interrupt(self) -> None:
        _, loop, task = self._current or (None, None, None)
        if loop is not None and task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    def step(self) -> bool:
        """Wait for work and do all of it; False once it is to stop."""
        self._news.wait()
        self._news.clear()
        try:
            self._write()
            while not self._stopping and (entry := self._store.take()) is not None:
                made = self._make(entry)
                if made is not None:
                    self._unwritten = entry, made
                    self._write()
                else:  # deleted, or the server stops: that is no attempt
                    self._store.give_back(entry.id)
        except BaseException:
            self._news.set()  # it is tried again
            raise
        return not self._stopping

    def _make(self, entry: Entry) -> Report | str | None:
        """A report, or why there is none; None where making it was stopped."""
        if entry.attempts > _MOST_ATTEMPTS:
            return f"it was begun {_MOST_ATTEMPTS} times, and the server ended each time"
        try:
            return asyncio.run(self._generate(entry))
        except asyncio.CancelledError:
            return None
        except (AskError, ReportFailedError) as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - a defect is the end of one report, not of all
            _LOG.error("report %s could not be made", entry.id, exc_info=error)
            return f"the server made a mistake ({in_words(error)}); its log says where"
        finally:
            self._progress.pop(entry.id, None)

    def _write(self) -> None:
        """Keep what was made; if that fails it is tried again, and nothing is made anew."""
        if self._unwritten is None:
            return
        entry, made = self._unwritten
        if isinstance(made, str):
            self._store.failed(entry.id, made, self._clock_ns())
        else:
            self._store.done(entry.id, made, self._clock_ns())
        self._unwritten = None
        self._done(entry)

    async def _generate(self, entry: Entry) -> Report:
        def told(progress: Progress) -> None:
            self._progress[entry.id] = progress

        making = asyncio.ensure_future(generate(entry.scope, self._ask, self._clock_ns(), told))
        with self._lock:
            self._current = (entry.id, asyncio.get_running_loop(), making)
            if self._stopping:
                making.cancel()
        try:
            return await making
        finally:
            with self._lock:
                self._current = None
