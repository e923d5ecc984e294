"""The journal's open generation: it takes records until it is large or old enough, and is then sealed.

A sealed generation goes on its way through ``Flushing``. Its file is deleted only after the catalog says that all its
records are in segments, in the same transaction that makes those visible, so after a crash at any moment every record
is in a segment or in the journal, and never counted in both.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.ingest.journal.file import JournalError, JournalFile
from spanglass_server.self_metrics import registry as own

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.ingest.decoding.checked import Checked
    from spanglass_server.ingest.decoding.decode import Decoded
    from spanglass_server.ingest.digests import DigestWindow
    from spanglass_server.ingest.journal.file import Entry
    from spanglass_server.ingest.journal.flushing import Flushing
    from spanglass_server.ingest.journal.folder import JournalFolder
    from spanglass_server.ingest.pending import Pending
    from spanglass_server.self_metrics.registry import Telemetry

_LOG = logging.getLogger(__name__)
_SEALED_SOFT = 2  # sealed generations that may wait for the disk before acknowledgements are slowed down ...
_SEALED_HARD = 3  # ... and before senders are asked to come back later
#: What may wait to become columns before acknowledgements are slowed down too. Where small requests come faster than
#: one thread makes columns of them, all of a generation waited, 64 MiB: decoded and columns come to that besides.
_PENDING_SOFT = 16 << 20
_SLOW_DOWN_S = 2.0  # the longest that acknowledgements are held back for either; a flush takes 0.3 to 0.8 s


@dataclass(frozen=True, slots=True)
class GenerationLimits:
    """When a generation is sealed, and how much disk must stay free."""

    flush_bytes: int
    flush_interval_ns: int
    min_free_disk_bytes: int


class Generations:
    """The open file and what happens to its records. ``append`` belongs to one thread."""

    def __init__(
        self,
        folder: JournalFolder,
        first: int,
        flushing: Flushing,
        pending: Pending,
        digests: DigestWindow,
        limits: GenerationLimits,
        telemetry: Telemetry,
        clock_ns: Callable[[], int],
    ) -> None:
        self._folder = folder
        self._flushing = flushing
        self._pending = pending
        self._digests = digests
        self._limits = limits
        self._telemetry = telemetry
        self._clock_ns = clock_ns
        self._writing = threading.Lock()  # the open file: appended to by one thread, sealed by another
        self._number = first
        self._file: JournalFile | None = None
        self._opened_ns = 0
        self._disk_problem: str | None = None

    @property
    def problem(self) -> str | None:
        """Why nothing can be stored now, in words for people; None while it can."""
        return self._disk_problem

    @property
    def behind(self) -> str | None:
        """Why no more is taken in until segments were written, in words for people; None while it is."""
        if self._flushing.waiting < _SEALED_HARD:
            return None
        return self._flushing.problem or "the disk is slower than what comes in"

    def append(self, entries: Sequence[Entry], decoded: Sequence[Decoded | Checked]) -> None:
        """Journal entries durably, remember their digests, and hand their records to queries.

        An error means that nothing was stored; ``JournalError`` if it is the disk's.
        """
        # senders that wait for an answer slow down by themselves; a refusal costs them 2 s
        self._flushing.wait_for_room(_SEALED_SOFT, _SLOW_DOWN_S)
        self._pending.wait_for_room(_PENDING_SOFT, _SLOW_DOWN_S)
        with self._writing:
            if self._disk_problem is not None:
                raise JournalError(0, self._disk_problem)
            try:
                self._append(self._file or self._open(), entries, decoded)
            except OSError as error:
                self._disk_problem = f"the journal can't be written ({os.strerror(error.errno or 0)})"
                _LOG.error("%s; nothing more is taken in until it can", self._disk_problem)
                raise JournalError(error.errno, self._disk_problem) from error
            if self._file is not None and self._file.size >= self._limits.flush_bytes:
                self._seal()

    def _append(self, file: JournalFile, entries: Sequence[Entry], decoded: Sequence[Decoded | Checked]) -> None:
        size = file.size
        try:
            with self._telemetry.timed(own.JOURNAL_FSYNC_SECONDS):
                file.append(entries)
            self._pending.add(self._number, decoded)
        except BaseException:
            file.undo_to(size)
            if file.torn:
                self._seal()
            raise
        # before the file can be sealed: its digests are committed with its segments
        newest_ns = max(entry.received_ns for entry in entries)
        self._digests.load(self._number, newest_ns, [entry.digest for entry in entries])

    def _open(self) -> JournalFile:
        self._file = self._folder.open(self._number)
        self._opened_ns = self._clock_ns()
        return self._file

    def _seal(self) -> None:
        """Close the open generation and hand it to the flusher."""
        if self._file is None:
            return
        file, self._file = self._file, None
        self._flushing.add(self._number)
        self._number += 1
        try:
            file.close()
        except Exception as error:  # noqa: BLE001 - all of it is synced
            _LOG.warning("journal %s was not closed: %s", file.path.name, error)

    def tick(self) -> None:
        """Seal what has waited long enough, and look after the disk. Called about once a second."""
        with self._writing:
            waited = self._clock_ns() - self._opened_ns
            if self._file is not None and waited >= self._limits.flush_interval_ns:
                self._seal()
            self._check_disk()

    def _check_disk(self) -> None:
        """Refuse records while the disk is nearly full or can't be written, and take them again once it can."""
        problem = self._folder.shortage(self._limits.min_free_disk_bytes)
        if problem is None and self._disk_problem is not None:
            problem = self._folder.refusal()
        if problem and not self._disk_problem:
            _LOG.error("%s; nothing more is taken in until it can", problem)
        if self._disk_problem and not problem:
            _LOG.warning("the disk can be written again; records are taken in")
            self._seal()  # whatever a failed write left behind stays at the end of its file
        self._disk_problem = problem

    def seal(self) -> None:
        """Hand what was appended to the flusher now."""
        with self._writing:
            self._seal()
