"""How long records stay in one data directory, put together: policies, what judges segments by them, and deleting."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from spanglass_server.process.tuning import release_memory
from spanglass_server.retention.book import PolicyBook
from spanglass_server.retention.desk import RetentionDesk
from spanglass_server.retention.keeper import PolicyKeeper
from spanglass_server.retention.model import RetentionStoreError
from spanglass_server.retention.store import FILE_NAME, RetentionStore, UnreadableStore
from spanglass_server.store.ports import QueryError
from spanglass_server.store.sessions.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.settings.settings import Settings
    from spanglass_server.signals import Signal
    from spanglass_server.store.sessions.engine import Engine
    from spanglass_server.store.store import Store

#: Of the time between two looks so much may be spent on judging segments; what is left over is judged at the next.
_SHARE: Final = 0.1
#: And so much on making room past ``retention.max_bytes``: a disk fills faster than policies age.
_SQUEEZING_SHARE: Final = 0.5


class Keeping:
    """``book`` is what API and pages change; ``run`` belongs to one thread.

    Where policies can't be read nothing is deleted, and the keeper's ``problem`` says so.
    """

    def __init__(
        self, settings: Settings, store: Store, ages_ns: Mapping[Signal, int], clock_ns: Callable[[], int]
    ) -> None:
        self._segments = store
        self._clock_ns = clock_ns
        self._file = _opened(settings.data.dir.resolve() / FILE_NAME)
        self.book = PolicyBook(self._file, settings.retention.policies_file)
        self.ages_ns = ages_ns
        self._stop = Stop()
        self.keeper = PolicyKeeper(self.book, self._file, ages_ns, clock_ns)
        store.keep_by(self.keeper)

    def begin(self, engine: Engine) -> None:
        """Take what storage is asked by; before ``run``."""
        self.keeper.ask_by(lambda query: engine.run_here(query, self._stop))

    def keep_evidence(self, alerts: AlertStore) -> None:
        """Keep what the evidence of alerts names; read again after alerts changed. Before that nothing is judged."""
        known: tuple[int, frozenset[bytes]] = -1, frozenset()

        def evidence() -> frozenset[bytes]:
            nonlocal known
            version = alerts.version()
            if known[0] != version:
                known = version, frozenset(alerts.evidence_traces())
            return known[1]

        self.keeper.evidence = evidence

    def desk(self, pinned: Callable[[], frozenset[bytes]], max_bytes: int) -> RetentionDesk:
        """What API and pages ask."""

        def held() -> frozenset[bytes]:
            evidence = self.keeper.evidence
            return pinned() | (evidence() if evidence is not None else frozenset())

        contents = self._segments.contents
        return RetentionDesk(
            self.book, self.keeper, lambda: contents.snapshot, held, self._file.bounds_of, self.ages_ns, max_bytes
        )

    def run(self, every_s: float, is_stopping: Callable[[], bool]) -> None:
        """Judge segments that are due, for a part of the time between two looks, and delete what is due.

        While it is not known which traces are evidence, or policies can't be read, nothing of either is done.
        """
        if not self.keeper.is_ready:
            return
        end = time.monotonic() + every_s * _SHARE
        judged = False
        try:
            while not is_stopping() and time.monotonic() < end and self._segments.judge_next(self._clock_ns()):
                judged = True
            end = time.monotonic() + every_s * _SQUEEZING_SHARE
            self._segments.retain(self._clock_ns(), lambda: not is_stopping() and time.monotonic() < end)
        except QueryError:  # no failure where the end of the server interrupts it
            if not self._stop.stopped:
                raise
        if judged:
            release_memory()

    def stop(self) -> None:
        """Interrupt what storage is asked."""
        self._stop.now()

    def close(self) -> None:
        """Release the file of policies."""
        self._file.close()


def _opened(path: Path) -> RetentionStore:
    """The store of policies, or one that stands for what can't be read."""
    with ExitStack() as undo:
        try:
            store = RetentionStore(path)
            undo.callback(store.close)
            store.newest()
            undo.pop_all()
        except (OSError, RetentionStoreError) as error:
            return UnreadableStore(str(error))
        return store
