"""Generations of the journal: the open one takes records; a sealed one is flushed to segments and then deleted.

A generation is sealed when it is large or old enough. Its file is deleted only after the catalog says that all its
records are in segments, in the same transaction that makes those visible, so after a crash at any moment every record
is in a segment or in the journal, and never counted in both.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.ingest.journal import JournalError, JournalFile, journal_files, journal_path
from spanglass_server.self_metrics import registry as own
from spanglass_server.store.catalog import Digests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spanglass_server.ingest.decode import Decoded
    from spanglass_server.ingest.digests import DigestWindow
    from spanglass_server.ingest.journal import Entry
    from spanglass_server.ingest.pending import Pending
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.store import Store

_LOG = logging.getLogger(__name__)
_SEALED_SOFT = 2  # sealed generations that may wait for the disk before acknowledgements are slowed down ...
_SEALED_HARD = 3  # ... and before senders are asked to come back later
_SLOW_DOWN_S = 2.0  # the longest that acknowledgements are held back for a flush; one takes 0.3 to 0.8 s
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class GenerationLimits:
    """When a generation is sealed, and how much disk must stay free."""

    flush_bytes: int
    flush_interval_ns: int
    dedupe_window_ns: int
    min_free_disk_bytes: int


class Generations:
    """The journal's files and their way into segments. ``append`` belongs to one thread."""

    def __init__(
        self,
        directory: Path,
        first: int,
        store: Store,
        pending: Pending,
        digests: DigestWindow,
        limits: GenerationLimits,
        telemetry: Telemetry,
        clock_ns: Callable[[], int],
    ) -> None:
        self._directory = directory
        self._store = store
        self._pending = pending
        self._digests = digests
        self._limits = limits
        self._telemetry = telemetry
        self._clock_ns = clock_ns
        self._writing = threading.Lock()  # the open file: appended to by one thread, sealed by another
        self._number = first
        self._file: JournalFile | None = None
        self._opened_ns = 0
        self._sealed: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._flushed = threading.Condition()
        self._sealed_count = 0
        self._disk_problem: str | None = None
        self._stopped = threading.Event()
        self._flusher = threading.Thread(target=self._flush_loop, name="flusher", daemon=True)
        self._flusher.start()

    @property
    def problem(self) -> str | None:
        """Why nothing can be stored now, in words for people; None while it can."""
        return self._disk_problem

    @property
    def behind(self) -> bool:
        """Whether segments are written more slowly than records come."""
        return self._sealed_count >= _SEALED_HARD

    @property
    def journal_bytes(self) -> int:
        """Size of the journal on disk."""
        return sum(path.stat().st_size for path in journal_files(self._directory).values() if path.exists())

    def append(self, entries: Sequence[Entry], decoded: list[Decoded]) -> None:
        """Journal entries durably, remember their digests, and hand their records to queries.

        Raises ``JournalError`` when nothing was stored.
        """
        with self._flushed:  # senders that wait for an answer slow down by themselves; a refusal costs them 2 s
            self._flushed.wait_for(lambda: self._sealed_count < _SEALED_SOFT, _SLOW_DOWN_S)
        with self._writing:
            if self._disk_problem is not None:
                raise JournalError(0, self._disk_problem)
            try:
                file = self._file or self._open()
                with self._telemetry.timed(own.JOURNAL_FSYNC_SECONDS):
                    file.append(entries)
            except OSError as error:
                self._disk_problem = f"the journal can't be written ({os.strerror(error.errno or 0)})"
                _LOG.error("%s; nothing more is taken in until it can", self._disk_problem)
                raise JournalError(error.errno, self._disk_problem) from error
            generation = self._number
            for entry in entries:  # before the file can be sealed: its digests are committed with its segments
                self._digests.add(generation, entry.digest, entry.received_ns)
            self._pending.add(generation, decoded)
            if file.size >= self._limits.flush_bytes:
                self._seal()

    def _open(self) -> JournalFile:
        self._file = JournalFile(journal_path(self._directory, self._number))
        self._opened_ns = self._clock_ns()
        return self._file

    def _seal(self) -> None:
        """Close the open generation and hand it to the flusher."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        self._hand_over(self._number)
        self._number += 1

    def adopt(self, generation: int) -> None:
        """Take over a generation that was replayed from a journal, to be flushed."""
        self._hand_over(generation)

    def _hand_over(self, generation: int) -> None:
        with self._flushed:
            self._sealed_count += 1
        self._sealed.put(generation)

    def tick(self) -> None:
        """Seal what has waited long enough, and look after the disk. Called about once a second."""
        with self._writing:
            waited = self._clock_ns() - self._opened_ns
            if self._file is not None and waited >= self._limits.flush_interval_ns:
                self._seal()
            self._check_disk()

    def _check_disk(self) -> None:
        """Refuse records while the disk is nearly full or can't be written, and take them again once it can."""
        problem = self._probe()
        if problem and not self._disk_problem:
            _LOG.error("%s; nothing more is taken in until it can", problem)
        if self._disk_problem and not problem:
            _LOG.warning("the disk can be written again; records are taken in")
            self._seal()  # whatever a failed write left behind stays at the end of its file
        self._disk_problem = problem

    def _probe(self) -> str | None:
        status = os.statvfs(self._directory)
        free = status.f_bavail * status.f_frsize
        if free < self._limits.min_free_disk_bytes:
            return (
                f"the disk has {free >> 20} MiB free, less than the setting storage.min_free_disk_bytes "
                f"({self._limits.min_free_disk_bytes >> 20} MiB)"
            )
        if self._disk_problem is None:
            return None
        probe = self._directory / "probe"
        try:
            with probe.open("wb") as file:
                file.write(b"\0" * 4096)
                file.flush()
                os.fsync(file.fileno())
            probe.unlink()
        except OSError as error:
            return f"the data directory can't be written ({error.strerror})"
        return None

    # The flusher's thread

    def _flush_loop(self) -> None:
        while (generation := self._sealed.get()) is not None:
            while not self._flush(generation):
                if self._stopped.wait(_RETRY_S):
                    return
            with self._flushed:
                self._sealed_count -= 1
                self._flushed.notify_all()

    def _flush(self, generation: int) -> bool:
        newest_ns, digests = self._digests.of(generation)
        try:
            self._pending.settle()
            self._store.flush(
                generation,
                Digests(generation, newest_ns, digests),
                self._clock_ns() - self._limits.dedupe_window_ns,
            )
        except OSError as error:
            self._telemetry.add(own.STORAGE_ERRORS, 1, "flush")
            _LOG.error("a segment can't be written (%s); its records stay in the journal", error)
            return False
        except Exception:  # noqa: BLE001 - whatever it is, the flusher goes on and the journal keeps the records
            self._telemetry.add(own.STORAGE_ERRORS, 1, "flush")
            _LOG.exception("flushing failed; the records stay in the journal")
            return False
        self._drop_file(generation)
        self._pending.forget(generation)
        self._digests.forget(self._clock_ns())
        return True

    def _drop_file(self, generation: int) -> None:
        """Delete a flushed generation's file; one of which records are missing in the segments is kept aside."""
        path = journal_path(self._directory, generation)
        if generation in self._pending.damaged:
            path.rename(path.with_suffix(".damaged"))
        else:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Flush everything that was appended, unless the disk refuses: then it stays in the journal. Blocks."""
        with self._writing:
            self._seal()
        self._stopped.set()
        self._sealed.put(None)
        self._flusher.join()
