"""What API and pages use of reports: asked for, listed, read, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.reports.errors import RefusedError, TooManyError
from spanglass_server.reports.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.reports.model import Entry, Progress, Report, Scope, Turn
    from spanglass_server.reports.store.store import ReportStore
    from spanglass_server.reports.worker import Worker

#: So many wait or are being made at once.
MOST_WAITING: Final = 20
_LONGEST_SERVICE: Final = 500


class ReportDesk:
    """The facade; safe for any thread. What reads or changes raises ``OSError`` when the disk can't be used.

    ``most`` reports are kept that are over, those asked for within ``keep_ns`` (0: of any age).
    """

    def __init__(
        self,
        store: ReportStore,
        worker: Worker,
        clock_ns: Callable[[], int],
        new_id: Callable[[], str],
        *,
        most: int,
        keep_ns: int,
    ) -> None:
        self._store = store
        self._worker = worker
        self._clock_ns = clock_ns
        self._new_id = new_id
        self._most = most
        self._keep_ns = keep_ns

    def ask(self, scope: Scope, actor: str = "") -> Entry:
        """Have a report made; ``RefusedError`` where it can't be, ``TooManyError`` while too many wait."""
        return self._store.entry(self._ask(scope, actor, None))

    def ask_at(self, turn: Turn, scope: Scope, actor: str) -> None:
        """The same at the turn of a schedule, which is taken with it; nothing where it was taken or changed already."""
        self._ask(scope, actor, turn)

    def _ask(self, scope: Scope, actor: str, turn: Turn | None) -> str:
        if scope.kind not in KINDS:
            raise RefusedError(f"there is no kind of reports {scope.kind!r}", "kind", f"take one of {', '.join(KINDS)}")
        if len(scope.service) > _LONGEST_SERVICE:
            raise RefusedError(f"the name is longer than {_LONGEST_SERVICE} characters", "service", "shorten it")
        if self._store.waiting() >= MOST_WAITING:
            hint = "wait until some are done, or delete them"
            raise TooManyError(f"{MOST_WAITING} reports wait already", "kind", hint)
        report_id = self._new_id()
        self._store.add(report_id, scope, self._clock_ns(), actor, turn)
        self.tidy()
        self._worker.wake()
        return report_id

    def tidy(self) -> None:
        """Delete what is too old, or too much."""
        self._store.forget(self._clock_ns() - self._keep_ns if self._keep_ns else 0, self._most)

    def entries(self, kind: str = "", service: str = "", state: str = "", limit: int = 100) -> Sequence[Entry]:
        """Reports, the newest first."""
        return self._store.entries(kind, service, state, limit)

    def entry(self, report_id: str) -> Entry:
        """One of them; ``UnknownReportError``."""
        return self._store.entry(report_id)

    def progress(self, report_id: str) -> Progress:
        """How far one is that is being made."""
        return self._worker.progress(report_id)

    def content(self, report_id: str) -> Report:
        """What one holds; ``UnknownReportError``, ``NotDoneError``."""
        return self._store.content(report_id)

    def delete(self, report_id: str) -> None:
        """Forget one, and stop making it; ``UnknownReportError``."""
        self._store.delete(report_id)
        self._worker.cancel(report_id)
