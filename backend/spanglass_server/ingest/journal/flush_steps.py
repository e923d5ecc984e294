"""What is done to a sealed generation of the journal: into segments, its file away, or aside. Each may be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.store.segment_files.catalog import Digests

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.ingest.digests import DigestWindow
    from spanglass_server.ingest.journal.folder import JournalFolder
    from spanglass_server.ingest.pending import Pending
    from spanglass_server.store.store import Store


class FlushSteps:
    """The steps of ``Flushing``, over a real journal and store; ``clock_ns`` is time since 1970.

    ``before_flush`` is called while the generation is in the journal still, once all its records are columns; it does
    not raise.
    """

    def __init__(
        self,
        folder: JournalFolder,
        store: Store,
        pending: Pending,
        digests: DigestWindow,
        clock_ns: Callable[[], int],
        before_flush: Callable[[], None] = lambda: None,
    ) -> None:
        self._before_flush = before_flush
        self._folder = folder
        self._store = store
        self._pending = pending
        self._digests = digests
        self._clock_ns = clock_ns

    def file_name(self, generation: int) -> str:
        """A generation's file, as people find it below the data directory."""
        path = self._folder.file_of(generation)
        return f"{path.parent.name}/{path.name}"

    def flush(self, generation: int) -> None:
        """Commit a generation's records as segments; on an error all of them are where they were."""
        self._pending.settle()
        self._before_flush()
        newest_ns, digests = self._digests.of(generation)
        self._store.flush(
            generation,
            Digests(generation, newest_ns, digests),
            self._clock_ns() - self._digests.window_ns,
            out_of_turn=self._folder.is_aside(generation),
        )

    def quarantine(self, generation: int) -> None:
        """Set a generation's file aside, so that others can go before it."""
        self._folder.set_aside(generation)

    def finish(self, generation: int) -> None:
        """Forget a generation that is in segments; its file stays only if records of it are missing there."""
        self._folder.dispose(generation, keep=generation in self._pending.damaged)
        self._pending.forget(generation)
        self._digests.forget(self._clock_ns())
