"""The store as its writers see it: memory becomes segments, small segments become large ones, old ones go."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import Signal
from spanglass_server.store.catalog import Catalog, Change, Digests
from spanglass_server.store.compaction import choose
from spanglass_server.store.contents import Contents
from spanglass_server.store.retention import RetentionLimits, expired
from spanglass_server.store.segments import Segment, merged_schema, write_segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spanglass_server.self_metrics.registry import Telemetry

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """What bounds the store."""

    max_columns: int
    retention: RetentionLimits


class Store:
    """Segments and memory of one data directory. Flushing and housekeeping may run in different threads."""

    def __init__(self, data_dir: Path, catalog: Catalog, limits: StoreLimits, telemetry: Telemetry) -> None:
        self.data_dir = data_dir
        self.catalog = catalog
        self.contents = Contents(data_dir, catalog.segments())
        self._limits = limits
        self._telemetry = telemetry
        self._changing = threading.Lock()  # catalog and picture change together
        self._tidying = threading.Lock()  # what is being merged is not deleted meanwhile, to come back merged
        self._drop_strays()

    def flush(self, generation: int, digests: Digests, forget_digests_before_ns: int) -> None:
        """Make segments of all rows in memory of one generation of the journal, which may then be deleted.

        Raises ``OSError`` if they can't be written; the rows then stay in memory.
        """
        written = [
            self._write(signal, chunks) for signal, chunks in self.contents.chunks_of(generation).items() if chunks
        ]
        change = Change(
            add=written,
            journal_start=generation + 1,
            digests=digests,
            forget_digests_before_ns=forget_digests_before_ns,
        )
        with self._changing:
            try:
                self.catalog.commit(change)
            except OSError:
                self._unlink(written)
                raise
            self.contents.replace(add=written, flushed=generation)

    def _write(self, signal: Signal, chunks: Sequence[Any]) -> Segment:
        tables = [chunk.table for chunk in chunks]
        schema = merged_schema(table.schema for table in tables)
        arrived = max(chunk.arrived_ns for chunk in chunks)
        with self._telemetry.timed(own.FLUSH_SECONDS, signal):
            segment = write_segment(tables, schema, signal, self.catalog.next_segment_id(), self.data_dir, arrived)
        self._telemetry.add(own.FLUSHED_ROWS, segment.rows, signal)
        return segment

    def compact(self) -> int:
        """Merge small segments as long as there are enough of a size; returns how many were merged away."""
        merged = 0
        for signal in Signal:
            while count := self._compact_once(signal):
                merged += count
        return merged

    def _compact_once(self, signal: Signal) -> int:
        with self._tidying:
            chosen = choose(self.contents.picture.segments[signal], self._limits.max_columns)
            if chosen:
                self._merge(signal, chosen)
            return len(chosen)

    def _merge(self, signal: Signal, chosen: Sequence[Segment]) -> None:
        paths = [self.data_dir / segment.file for segment in chosen]
        schema = merged_schema(pq.read_schema(path) for path in paths)
        with self._telemetry.timed(own.COMPACTION_SECONDS, signal):
            segment = write_segment(
                _row_groups(paths),
                schema,
                signal,
                self.catalog.next_segment_id(),
                self.data_dir,
                max(s.arrived_ns for s in chosen),
            )
        self._swap(add=[segment], remove=[s.id for s in chosen])
        self._telemetry.add(own.COMPACTED_ROWS, segment.rows, signal)

    def retain(self, now_ns: int) -> None:
        """Delete segments past their age, then the oldest while all together are too large."""
        with self._tidying:
            for reason, segments in expired(self.contents.picture.segments, self._limits.retention, now_ns).items():
                if not segments:
                    continue
                self._swap(add=[], remove=[segment.id for segment in segments])
                for segment in segments:
                    self._telemetry.add(own.DELETED_SEGMENTS, 1, segment.signal, reason)
                    self._telemetry.add(own.DELETED_ROWS, segment.rows, segment.signal, reason)
                _LOG.info("retention by %s deleted %d segments", reason, len(segments))

    def _swap(self, *, add: list[Segment], remove: list[int]) -> None:
        with self._changing:
            try:
                self.catalog.commit(Change(add=add, remove=remove))
            except OSError:
                self._unlink(add)
                raise
            self.contents.replace(add=add, remove=remove)

    def _unlink(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            for file in segment.files:
                (self.data_dir / file).unlink(missing_ok=True)

    def _drop_strays(self) -> None:
        """Delete files that a crash left between writing a segment and its commit, or a removal and its unlink."""
        picture = self.contents.picture
        known = {file for signal in Signal for segment in picture.segments[signal] for file in segment.files}
        for path in (*self.data_dir.glob("segments/*/*"), *self.data_dir.glob("projections/*/*")):
            if str(path.relative_to(self.data_dir)) not in known:
                path.unlink(missing_ok=True)


def _row_groups(paths: Sequence[Path]) -> Iterator[Any]:
    """The rows of several files, one row group at a time: merging needs the memory of two."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                yield file.read_row_group(number, use_threads=False)
