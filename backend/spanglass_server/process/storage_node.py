"""Ingest and storage of one data directory, put together: what a server, a benchmark or a test starts and stops."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.ingest.attributes import ShredLimits
from spanglass_server.ingest.budget import ByteBudget
from spanglass_server.ingest.decode import DecodeLimits, Decoder
from spanglass_server.ingest.digests import DigestWindow
from spanglass_server.ingest.generations import GenerationLimits, Generations
from spanglass_server.ingest.pending import Pending
from spanglass_server.ingest.pipeline import Pipeline
from spanglass_server.ingest.recovery import replay
from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import Signal
from spanglass_server.store.catalog import LocalCatalog
from spanglass_server.store.connections import EngineLimits
from spanglass_server.store.contents import order_of
from spanglass_server.store.engine import Engine
from spanglass_server.store.retention import RetentionLimits
from spanglass_server.store.service_slots import ServiceSlots
from spanglass_server.store.store import Store, StoreLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings

_LOG = logging.getLogger(__name__)
_SHRED_EVERY_S = 0.2  # the longest that acknowledged records wait to become columns
_TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class _Housekeeping:
    """Work that is done again and again in a thread of its own."""

    name: str
    every_s: float
    work: Callable[[], object]


class StorageNode:
    """Takes requests, keeps them, and answers queries; ready when the constructor returns."""

    def __init__(self, settings: Settings, telemetry: Telemetry, clock_ns: Callable[[], int]) -> None:
        data_dir = settings.data.dir.resolve()
        journal_dir = data_dir / "journal"
        journal_dir.mkdir(parents=True, exist_ok=True)
        self._telemetry = telemetry
        self._clock_ns = clock_ns
        self.store = Store(data_dir, LocalCatalog(data_dir / "catalog.sqlite"), _store_limits(settings), telemetry)
        self._pending = Pending(self.store.contents, _shred_limits(settings), telemetry)
        decoder = Decoder(DecodeLimits(settings.ingest.max_records, settings.ingest.max_future_ns))
        digests = DigestWindow(settings.ingest.dedupe_window_ns)
        for known in self.store.catalog.recent_digests():
            digests.load(known.generation, known.newest_ns, known.digests)
        replayed, first = replay(journal_dir, self.store.catalog.journal_start(), decoder, self._pending, digests)
        self.store.contents.begin(order_of(first) - 1)
        self._generations = Generations(
            journal_dir, first, self.store, self._pending, digests, _generation_limits(settings), telemetry, clock_ns
        )
        for generation in replayed:
            self._generations.adopt(generation)
        self._budget = ByteBudget(settings.ingest.max_inflight_bytes)
        self.ingest = Pipeline(decoder, self._generations, digests, telemetry, clock_ns, self._budget)
        self._slots = ServiceSlots(self.store.catalog)
        self.engine = Engine(
            self.store.contents, data_dir, _engine_limits(settings), self._pending.settle, self._slots.slot
        )
        self._stopping = threading.Event()
        self._threads = [self._start(task) for task in self._housekeeping(settings)]
        self._watch()

    def _housekeeping(self, settings: Settings) -> list[_Housekeeping]:
        compact_s = settings.storage.compact_interval_ns / 1e9
        return [
            _Housekeeping("shredder", _SHRED_EVERY_S, self._pending.settle),
            _Housekeeping("ticker", _TICK_S, self._generations.tick),
            _Housekeeping("slots", _TICK_S, self._slots.save),
            _Housekeeping("compactor", compact_s, self.store.compact),
            _Housekeeping("retention", compact_s, lambda: self.store.retain(self._clock_ns())),
        ]

    def _start(self, task: _Housekeeping) -> threading.Thread:
        def run() -> None:
            while not self._stopping.wait(task.every_s):
                try:
                    task.work()
                except OSError as error:
                    self._telemetry.add(own.STORAGE_ERRORS, 1, task.name)
                    _LOG.error("%s: %s; trying again", task.name, error)
                except Exception:  # noqa: BLE001 - housekeeping goes on
                    self._telemetry.add(own.STORAGE_ERRORS, 1, task.name)
                    _LOG.exception("%s failed; trying again", task.name)

        thread = threading.Thread(target=run, name=task.name, daemon=True)
        thread.start()
        return thread

    def _watch(self) -> None:
        """Have the gauges read what is there."""
        watch = self._telemetry.watch
        watch(own.INFLIGHT_BYTES, lambda: self._budget.held_bytes)
        watch(own.JOURNAL_BYTES, lambda: self._generations.journal_bytes)
        watch(own.SEGMENTS, lambda: self._segments(lambda _: 1))
        watch(own.SEGMENT_ROWS, lambda: self._segments(lambda segment: segment.rows))
        watch(own.SEGMENT_BYTES, lambda: self._segments(lambda segment: segment.bytes))
        watch(own.BUFFER_ROWS, lambda: self._chunks(lambda chunk: chunk.rows))
        watch(own.BUFFER_BYTES, lambda: self._chunks(lambda chunk: chunk.table.nbytes))

    def _segments(self, figure: Callable[..., int]) -> Mapping[tuple[str, ...], float]:
        segments = self.store.contents.picture.segments
        return {(str(signal),): sum(map(figure, segments[signal])) for signal in Signal}

    def _chunks(self, figure: Callable[..., int]) -> Mapping[tuple[str, ...], float]:
        chunks = self.store.contents.picture.chunks
        return {(str(signal),): sum(map(figure, chunks[signal])) for signal in Signal}

    def close(self) -> None:
        """Finish what was taken, flush it, and release everything. Blocks for a few seconds at most."""
        start = time.monotonic()
        self._stopping.set()
        self.ingest.close()
        for thread in self._threads:
            thread.join()
        self._generations.close()
        self.engine.close()
        try:
            self._slots.save()
        except OSError as error:
            _LOG.warning("colours of services seen last are not kept: %s", error)
        self.store.catalog.close()
        _LOG.info("stopped in %.1f s", time.monotonic() - start)


def _store_limits(settings: Settings) -> StoreLimits:
    retention = settings.retention
    ages = {
        Signal.SPANS: retention.traces_ns,
        Signal.LOGS: retention.logs_ns,
        Signal.METRICS: retention.metrics_ns,
    }
    return StoreLimits(settings.storage.max_columns, RetentionLimits(ages, retention.max_bytes))


def _shred_limits(settings: Settings) -> ShredLimits:
    storage = settings.storage
    return ShredLimits(storage.max_columns, storage.max_attributes, storage.max_value_bytes)


def _generation_limits(settings: Settings) -> GenerationLimits:
    storage = settings.storage
    return GenerationLimits(
        storage.flush_bytes, storage.flush_interval_ns, settings.ingest.dedupe_window_ns, storage.min_free_disk_bytes
    )


def _engine_limits(settings: Settings) -> EngineLimits:
    query = settings.query
    return EngineLimits(query.memory_limit_bytes, query.threads or os.cpu_count() or 1, query.max_concurrent)
