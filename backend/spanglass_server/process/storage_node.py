"""Ingest and storage of one data directory, put together: what a server, a benchmark or a test starts and stops."""

from __future__ import annotations

import logging
import os
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from spanglass_server.ingest.attributes.limits import ShredLimits
from spanglass_server.ingest.budget import ByteBudget
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.digests import DigestWindow
from spanglass_server.ingest.journal.flush_steps import FlushSteps
from spanglass_server.ingest.journal.flushing import Flushing, FlushPace
from spanglass_server.ingest.journal.folder import JournalFolder
from spanglass_server.ingest.journal.generations import GenerationLimits, Generations
from spanglass_server.ingest.journal.recovery import Recovery
from spanglass_server.ingest.pending import Pending
from spanglass_server.ingest.pipeline import Pipeline
from spanglass_server.ingest.prometheus.families import Families
from spanglass_server.ingest.shredding import Shredding
from spanglass_server.process.parts.error_tracking import ErrorTracking
from spanglass_server.process.parts.keeping import Keeping
from spanglass_server.process.tuning import release_memory
from spanglass_server.rollups.worker import RollupWorker
from spanglass_server.saved.sql_views import sql_views
from spanglass_server.saved.store.store import FILE_NAME as SAVED
from spanglass_server.saved.store.store import SavedStore
from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import SENT, Signal
from spanglass_server.store.collection import CollectionIntervals
from spanglass_server.store.contents import order_of
from spanglass_server.store.disk import DISK, Disk
from spanglass_server.store.segment_files.catalog import LocalCatalog
from spanglass_server.store.segment_files.retention import RetentionLimits
from spanglass_server.store.service_slots import ServiceSlots
from spanglass_server.store.sessions.connections import EngineLimits
from spanglass_server.store.sessions.engine import Engine
from spanglass_server.store.sqlite_file import cut_logs
from spanglass_server.store.store import Store, StoreLimits
from spanglass_server.supervision import Supervisor, Task
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings

_LOG = logging.getLogger(__name__)
_TICK_S = 1.0
_ROLL_UP_EVERY_S = 10.0
_LOGS_REST_NS = 5 * NS_PER_SECOND  # what is written just now is left alone


class StorageNode:
    """Takes requests, keeps them, and answers queries; ready when the constructor returns.

    Raises ``OSError``, ``CatalogError``, ``IssueStoreError`` or ``SavedStoreError`` when the data directory can't be
    used.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        clock_ns: Callable[[], int],
        disk: Disk = DISK,
        pace: FlushPace | None = None,
    ) -> None:
        data_dir = settings.data.dir.resolve()
        self._telemetry = telemetry
        self._clock_ns, self._data_dir = clock_ns, data_dir
        folder = JournalFolder(data_dir / "journal", disk)
        catalog = LocalCatalog(data_dir / "catalog.sqlite")
        with ExitStack() as undo:
            undo.callback(catalog.close)
            self.saved = SavedStore(data_dir / SAVED)
            undo.callback(self.saved.close)
            self.collection = CollectionIntervals(data_dir, disk)
            self.store = Store(data_dir, catalog, _store_limits(settings), telemetry, disk, self.saved.pins)
            self.retention = Keeping(settings, self.store, kept_ns(settings), clock_ns)
            undo.callback(self.retention.close)
            self.errors = ErrorTracking(data_dir, settings.issues.max_issues, telemetry, clock_ns)
            undo.callback(self.errors.close)
            self._rollups = RollupWorker(telemetry, clock_ns)
            families = Families(data_dir / "prometheus_families.json", disk)
            self._pending = Pending(
                Shredding(self.store, _shred_limits(settings), telemetry, self._derive, self.errors.undo, families)
            )
            decoder = Decoder(DecodeLimits(settings.ingest.max_records, settings.ingest.max_future_ns), families)
            digests = DigestWindow(settings.ingest.dedupe_window_ns)
            for known in catalog.recent_digests():
                digests.load(known.generation, known.newest_ns, known.digests)
            with families.only_in_memory():
                recovered = Recovery(folder, decoder, self._pending, digests).run(catalog)
            self.store.contents.begin(order_of(recovered.next_generation) - 1)
            self.store.contents.discard([str(folder.probe.relative_to(data_dir))])
            self._slots = ServiceSlots(catalog)
            undo.pop_all()
        self._folder = folder
        steps = FlushSteps(folder, self.store, self._pending, digests, clock_ns, self.errors.tracker.try_observe)
        self._flushing = Flushing(steps, telemetry, pace)
        for generation, state in recovered.generations.items():
            self._flushing.add(generation, state)
        self._generations = Generations(
            *(folder, recovered.next_generation, self._flushing, self._pending, digests),
            *(_generation_limits(settings), telemetry, clock_ns),
        )
        self.engine = Engine(
            *(self.store.contents, data_dir, _engine_limits(settings)),
            *(self._pending.settle, self._slots.slot, self._pending.may_be_of),
        )
        self.engine.offer(sql_views(self.saved.pins))
        self.retention.begin(self.engine)
        self.errors.begin(self.store, self.engine)
        self._rollups.begin(self.store, self.engine)
        self._others: list[Callable[[], Sequence[str]]] = []
        self._supervisor = Supervisor(telemetry, pace.retry if pace else None)
        self.pulse = self._supervisor.pulse  # that of all other parts of the server, which stop before this one
        self._budget = ByteBudget(settings.ingest.max_inflight_bytes)
        self.ingest = Pipeline(decoder, self._generations, digests, telemetry, clock_ns, self._budget, self._supervisor)
        self._flusher = self._supervisor.start("flusher", self._flush)
        self._housekeeping = self._start_housekeeping(settings.storage.compact_interval_ns / 1e9)
        self._watch()

    def _start_housekeeping(self, compact_s: float) -> list[Task]:
        every = self._supervisor.every
        return [
            self._supervisor.start("shredder", self._pending.step),
            every(_TICK_S, "ticker", self._generations.tick),
            every(_TICK_S, "slots", self._slots.save, self._slots.has_news),
            every(_TICK_S, "sweeper", self.store.sweep, self.store.contents.has_unused),
            every(compact_s, "compactor", self._compact),
            every(compact_s, "retention", lambda: self.retention.run(compact_s, self._supervisor.stopping.is_set)),
            every(compact_s, "logs", lambda: cut_logs(self._data_dir, self._clock_ns() - _LOGS_REST_NS)),
            every(_ROLL_UP_EVERY_S, "rollups", lambda: self._rollups.run(self._supervisor.stopping.is_set)),
            *self.errors.start(self._supervisor),
        ]

    def _flush(self) -> bool:
        """What the flusher does next; the memory of what was flushed is given back."""
        before = self.store.contents.snapshot.version
        goes_on = self._flushing.step()
        if self.store.contents.snapshot.version > before:
            release_memory()
        return goes_on

    def _compact(self) -> None:
        """Merge small segments, and write the filters of those that stay."""
        if self.store.compact():
            release_memory()
        self.store.write_filters(self._supervisor.stopping.is_set)

    def _derive(self, signal: Signal, table: Any) -> Any | None:
        """What is made of new records, and noticed of them, when they become columns."""
        self._rollups.seen(signal, table)
        return self.errors.derive(signal, table)

    @property
    def problems(self) -> list[str]:
        """What is wrong, in words for people, the worst first: records refused, not flushed, a thread that fails."""
        found = [self.ingest.health, self._flushing.problem, self.errors.tracker.problem, self.retention.keeper.problem]
        found += self._supervisor.problems
        found += [problem for other in self._others for problem in other()]
        return list(dict.fromkeys(problem for problem in found if problem is not None))

    def also(self, problems: Callable[[], Sequence[str]]) -> None:
        """Have the problems of another part of the server told among those of this one."""
        self._others.append(problems)

    def _watch(self) -> None:
        """Have the gauges read what is there."""
        watch = self._telemetry.watch
        watch(own.INFLIGHT_BYTES, lambda: self._budget.held_bytes)
        watch(own.JOURNAL_BYTES, lambda: self._folder.size_bytes)
        watch(own.GENERATIONS, lambda: {(str(state),): count for state, count in self._flushing.counts.items()})
        watch(own.PROBLEMS, lambda: len(self.problems))
        watch(own.SEGMENTS, lambda: self._segments(lambda _: 1))
        watch(own.SEGMENT_ROWS, lambda: self._segments(lambda segment: segment.rows))
        watch(own.SEGMENT_BYTES, lambda: self._segments(lambda segment: segment.bytes))
        watch(own.BUFFER_ROWS, lambda: {(str(signal),): rows for signal, rows in self.buffer_rows.items()})
        watch(own.BUFFER_BYTES, lambda: {(str(signal),): size for signal, size in self.buffer_bytes.items()})

    @property
    def buffer_rows(self) -> Mapping[Signal, int]:
        """How many records of each signal are acknowledged and in no segment yet."""
        waiting = {signal: self._pending.rows_of(signal) for signal in Signal}  # first: for a moment they are in both
        return {signal: waiting[signal] + rows for signal, rows in self._in_chunks(lambda chunk: chunk.rows).items()}

    @property
    def buffer_bytes(self) -> Mapping[Signal, int]:
        """Memory of those records."""
        waiting = {signal: self._pending.bytes_of(signal) for signal in Signal}
        held = self._in_chunks(lambda chunk: chunk.table.nbytes)
        return {signal: waiting[signal] + size for signal, size in held.items()}

    def first_ns(self) -> int | None:
        """The time of the earliest record that senders sent; None without any."""
        if self.store.contents.snapshot.first_ns(*SENT) is None and self._pending.size_bytes:
            with suppress(MemoryError):  # then they come later
                self._pending.settle()  # the first few, which wait for more
        return self.store.contents.snapshot.first_ns(*SENT)

    def _segments(self, figure: Callable[..., int]) -> Mapping[tuple[str, ...], float]:
        segments = self.store.contents.snapshot.segments
        return {(str(signal),): sum(map(figure, segments[signal])) for signal in Signal}

    def _in_chunks(self, figure: Callable[..., int]) -> Mapping[Signal, int]:
        chunks = self.store.contents.snapshot.chunks
        return {signal: sum(map(figure, chunks[signal])) for signal in Signal}

    def close(self) -> None:
        """Finish what was taken, flush it, and release everything. Blocks for a few seconds at most."""
        start = time.monotonic()
        self._supervisor.stop()
        self.retention.stop()
        self._pending.close()
        self.ingest.close()
        for task in self._housekeeping:
            task.join()
        self._generations.seal()
        self._flushing.close()
        self._flusher.join()
        self.engine.close()
        try:
            self._slots.save()
        except Exception as error:  # noqa: BLE001 - they are chosen again; what follows must be released
            _LOG.warning("colours of services seen last are not kept: %s", error)
        self.errors.close()
        self.retention.close()
        self.saved.close()
        self.store.catalog.close()
        _LOG.info("stopped in %.1f s", time.monotonic() - start)


def kept_ns(settings: Settings) -> dict[Signal, int]:
    """How long each signal is kept, in nanoseconds; 0 for ever."""
    retention = settings.retention
    ages = {
        Signal.SPANS: retention.traces_ns,
        Signal.LOGS: retention.logs_ns,
        Signal.METRICS: retention.metrics_ns,
        Signal.ROLLUPS_5M: retention.rollups_5m_ns,
        Signal.ROLLUPS_1H: retention.rollups_1h_ns,
    }
    sources_ns = (retention.traces_ns, retention.logs_ns)  # occurrences stay as long as what they come from
    ages[Signal.OCCURRENCES] = max(sources_ns) if all(sources_ns) else 0
    return ages


def _store_limits(settings: Settings) -> StoreLimits:
    retention = settings.retention
    limits = RetentionLimits(kept_ns(settings), retention.max_bytes)
    return StoreLimits(settings.storage.max_columns, limits, 2 * retention.max_pinned_bytes)


def _shred_limits(settings: Settings) -> ShredLimits:
    storage = settings.storage
    return ShredLimits(storage.max_columns, storage.max_attributes, storage.max_value_bytes)


def _generation_limits(settings: Settings) -> GenerationLimits:
    storage = settings.storage
    return GenerationLimits(storage.flush_bytes, storage.flush_interval_ns, storage.min_free_disk_bytes)


def _engine_limits(settings: Settings) -> EngineLimits:
    query = settings.query
    return EngineLimits(query.memory_limit_bytes, query.threads or os.cpu_count() or 1, query.max_concurrent)
