"""The store as its writers see it: memory becomes segments, small segments become large ones, old ones go."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import ASKED, ROLLUPS, Signal
from spanglass_server.store.contents import Chunk, Contents
from spanglass_server.store.disk import DISK, Disk
from spanglass_server.store.keeping.retaining import Retaining, Writing
from spanglass_server.store.pinned.rescue import NO_PINS, Rescue
from spanglass_server.store.segment_files.catalog import Catalog, Change, Digests
from spanglass_server.store.segment_files.compaction import adjacent, choose, merge_period_ns
from spanglass_server.store.segment_files.segments import (
    FILTERED,
    RECORD_FOLDERS,
    Cover,
    NewSegment,
    Segment,
    merged_schema,
    write_segment,
)
from spanglass_server.store.traces.recent_rows import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.keeping.ports import Keeper
    from spanglass_server.store.pinned.rescue import PinnedTraces
    from spanglass_server.store.segment_files.retention import RetentionLimits

_DEFECTS_MAX = 3  # merges of a segment that may fail, other than by the disk, before it is left as it is
_FILTERS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """What bounds the store."""

    max_columns: int
    retention: RetentionLimits
    max_pinned_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A segment, or a chunk of memory: a table of its rows, and how to write them anew.

    ``read`` takes the ``columns`` that are wanted, all without; ``rewrite`` takes as many rows of the same times, and
    returns False if the part is not there any more. ``OSError`` from the disk.
    """

    rows: int
    read: Callable[..., Any]
    rewrite: Callable[[Any], bool]


class Store:
    """Segments and memory of one data directory. Flushing and housekeeping may run in different threads.

    Whatever fails, and wherever: a row is neither lost nor doubled, the call can be made again, and no more than the
    files of one attempt lie on disk until then.
    """

    def __init__(
        self,
        data_dir: Path,
        catalog: Catalog,
        limits: StoreLimits,
        telemetry: Telemetry,
        disk: Disk = DISK,
        pinned: PinnedTraces = NO_PINS,
    ) -> None:
        self.data_dir = data_dir
        self.catalog = catalog
        self.contents = Contents(data_dir, catalog.segments(), disk)
        self._limits = limits
        self._telemetry = telemetry
        self._disk = disk
        self._rescue = Rescue(data_dir, pinned, limits.max_pinned_bytes)
        writing = Writing(data_dir, self.contents, self._new_segment, self._commit)
        self._retaining = Retaining(writing, limits.retention, self._rescue, telemetry)
        self._changing = threading.Lock()  # catalog and snapshot change together
        self._tidying = threading.Lock()  # what is being merged is not deleted meanwhile, to come back merged
        self._doubtful: list[str] = []  # files of commits that failed, see _settle
        self._unseen: list[tuple[Change, int | None, Callable[[], bool]]] = []  # committed, and not in the snapshot yet
        self._defects: Counter[int] = Counter()  # how often merging a segment failed, by its id
        self._drop_strays()

    def append(self, chunks: Mapping[Signal, Chunk]) -> None:
        """Add rows in memory, of one signal or more in one step; queries that begin from now on see them."""
        self.contents.append(chunks)

    def flush(
        self, generation: int, digests: Digests, forget_digests_before_ns: int, *, out_of_turn: bool = False
    ) -> None:
        """Make segments of all rows in memory of one generation of the journal, which may then be deleted.

        ``out_of_turn``: later generations were flushed before, so the journal's start stays where it is. On an error
        the rows stay in memory; ``OSError`` if it is the disk's.
        """
        with self._changing:
            self._settle()
        chunks = self.contents.chunks_of(generation)
        written = self._written([(signal, chunks[signal]) for signal in Signal if chunks[signal]])
        change = Change(
            add=written,
            journal_start=None if out_of_turn else generation + 1,
            flushed_out_of_turn=generation if out_of_turn else None,
            digests=digests,
            forget_digests_before_ns=forget_digests_before_ns,
        )
        self._commit(change, generation)
        for segment in written:
            rows = [chunk.table for chunk in chunks[segment.signal]]
            self.contents.discard(self.contents.recent.keep(segment, rows))

    def _written(self, parts: Iterable[tuple[Signal, Sequence[Chunk]]]) -> list[Segment]:
        """A segment of each part; none, and no file, if one can't be written."""
        segments: list[Segment] = []
        try:
            segments += (self._write(signal, chunks) for signal, chunks in parts)
        except BaseException:
            self.contents.discard(file for segment in segments for file in segment.files)
            raise
        return segments

    def _write(self, signal: Signal, chunks: Sequence[Chunk]) -> Segment:
        tables = [chunk.table for chunk in chunks]
        schema = merged_schema(table.schema for table in tables)
        with self._telemetry.timed(own.FLUSH_SECONDS, signal):
            segment = self._new_segment(signal, tables, schema, max(chunk.arrived_ns for chunk in chunks))
        self._telemetry.add(own.FLUSHED_ROWS, segment.rows, signal)
        return segment

    def _new_segment(
        self, signal: Signal, tables: Iterable[Any], schema: Any, arrived_ns: int, cover: Cover | None = None
    ) -> Segment:
        """Write a segment; if that fails, nothing of it stays."""
        new = NewSegment(self.catalog.next_segment_id(), signal, arrived_ns, cover)
        try:
            return write_segment(tables, schema, new, self.data_dir, self._disk)
        except BaseException:
            self.contents.discard(new.files)
            raise

    def compact(self) -> int:
        """Merge small segments as long as there are enough of a size; returns how many were merged away."""
        self.contents.discard(self.contents.recent.pass_turn())
        merged = 0
        for signal in ASKED:
            while count := self._compact_once(signal):
                merged += count
        while count := self._compact_rollups():
            merged += count
        return merged

    def _compact_rollups(self) -> int:
        """Merge rollups of all sizes that cover four ranges side by side; returns how many were merged away."""
        with self._tidying:
            with self._changing:
                self._settle()
            snapshot = self.contents.snapshot
            held = {
                signal: {
                    segment.cover: segment
                    for segment in snapshot.segments[signal]
                    if segment.cover is not None and segment.cover.start_ns not in (snapshot.outdated or ())
                }
                for signal in ROLLUPS
            }
            covers = [segment.cover for segment in adjacent(list(held[ROLLUPS[0]].values()))]
            chosen = [[held[signal][cover] for cover in covers if cover in held[signal]] for signal in ROLLUPS]
            if not covers or any(len(segments) < len(covers) for segments in chosen):
                return 0
            written: list[Segment] = []
            try:
                written += (self._joined(segments) for segments in chosen)
            except BaseException:
                self.contents.discard(file for segment in written for file in segment.files)
                raise
            old = [segment.id for segments in chosen for segment in segments]
            self._commit(Change(add=written, remove=old))
            return len(old)

    def _joined(self, segments: Sequence[Segment]) -> Segment:
        """Write rollups of several ranges as one segment, by metric, so that one metric is in few row groups."""
        covers = [segment.cover for segment in segments if segment.cover is not None]
        cover = Cover(covers[0].start_ns, covers[-1].end_ns, sum(each.source_rows for each in covers))
        tables = [pq.read_table(self.data_dir / segment.file) for segment in segments]
        rows = pa.concat_tables(tables, promote_options="permissive").sort_by("metric_name")
        arrived_ns = max(segment.arrived_ns for segment in segments)
        return self._new_segment(segments[0].signal, [rows], rows.schema, arrived_ns, cover)

    def _compact_once(self, signal: Signal) -> int:
        with self._tidying:
            with self._changing:
                self._settle()
            segments = [s for s in self.contents.snapshot.segments[signal] if self._defects[s.id] < _DEFECTS_MAX]
            period_ns = merge_period_ns(self._limits.retention.age_ns.get(signal, 0))
            chosen = choose(segments, self._limits.max_columns, period_ns)
            if chosen:
                self._merge(signal, chosen)
            return len(chosen)

    def _merge(self, signal: Signal, chosen: Sequence[Segment]) -> None:
        paths = [self.data_dir / segment.file for segment in chosen]
        try:
            with self._telemetry.timed(own.COMPACTION_SECONDS, signal):
                schema = merged_schema(pq.read_schema(path) for path in paths)
                segment = self._new_segment(signal, _row_groups(paths), schema, max(s.arrived_ns for s in chosen))
            self._commit(Change(add=[segment], remove=[s.id for s in chosen]))
        except OSError:
            raise
        except Exception:
            self._defects.update(s.id for s in chosen)
            raise
        self._telemetry.add(own.COMPACTED_ROWS, segment.rows, signal)

    def write_filters(self, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Write missing filters of values, those of the newest segments first; returns how many. ``OSError``."""
        written = 0
        while not is_stopping():
            with self.contents.reading() as snapshot:  # a few at a time: what is deleted meanwhile waits for its end
                segments = [s for signal in FILTERED for s in reversed(snapshot.segments[signal])]
                count = self.contents.values.write_missing(segments, _FILTERS_AT_ONCE)
            written += count
            if count < _FILTERS_AT_ONCE:
                break
        return written

    def keep_by(self, keeper: Keeper) -> None:
        """Have policies of retention asked from now on; before ``retain`` is called first."""
        self._retaining.keeper = keeper

    def judge_next(self, now_ns: int) -> bool:
        """Have one segment hold only what policies of retention leave of it; False if none is due."""
        with self._tidying:
            with self._changing:
                self._settle()
            return self._retaining.judge_next(now_ns)

    def retain(self, now_ns: int, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Delete segments past their age, then the oldest while all are too large; rows of pinned traces stay.

        Where there are policies, spans and log records age by these alone (``judge_next``), and what is kept goes last;
        one segment at a time, as long as ``goes_on``.
        """
        again = True
        while again:
            with self._tidying:
                with self._changing:
                    self._settle()
                again = self._retaining.delete_next(now_ns)
            again = again and goes_on()

    @contextmanager
    def parts(self, signal: Signal) -> Iterator[list[Part]]:
        """All rows of a signal, for writing them anew; nothing is merged or deleted meanwhile.

        What is appended or flushed meanwhile is left out, or its part can't be rewritten any more.
        """
        with self._tidying:
            with self._changing:
                self._settle()
            snapshot = self.contents.snapshot
            segments = [
                Part(
                    segment.rows,
                    partial(pq.read_table, self.data_dir / segment.file),
                    partial(self._rewrite_segment, segment),
                )
                for segment in snapshot.segments[signal]
            ]
            chunks = [
                Part(chunk.rows, partial(_select, chunk), partial(self.contents.exchange, signal, chunk))
                for chunk in snapshot.chunks[signal]
            ]
            yield [*segments, *chunks]

    def _rewrite_segment(self, segment: Segment, table: Any) -> bool:
        new = self._new_segment(segment.signal, [table], table.schema, segment.arrived_ns)
        self._commit(Change(add=[new], remove=[segment.id]))
        return True

    def roll_up(
        self,
        cover: Cover,
        tables: Mapping[Signal, Iterator[Any]],
        now_ns: int,
        is_current: Callable[[], bool] = lambda: True,
    ) -> None:
        """Keep rollups of a range of time, in the place of those of the same range, if there are any.

        ``now_ns`` counts as their arrival: they age from then on, as points do. ``is_current`` as in
        ``Contents.replace``. ``tables`` are the rows of each size of rollups, one table at least, all of one schema.
        """
        with self._tidying:
            old = [
                segment.id
                for signal in ROLLUPS
                for segment in self.contents.snapshot.segments[signal]
                if segment.cover is not None and segment.cover.start_ns == cover.start_ns
            ]
            new: list[Segment] = []
            try:
                for signal, parts in tables.items():
                    first = next(parts)
                    new.append(self._new_segment(signal, chain([first], parts), first.schema, now_ns, cover))
            except BaseException:
                self.contents.discard(file for segment in new for file in segment.files)
                raise
            self._commit(Change(add=new, remove=old), is_current=is_current)

    def sweep(self) -> None:
        """Delete files that no segment has any more; raises why one can't be deleted."""
        failure = self.contents.sweep()
        if failure is not None:
            raise failure

    def _commit(
        self, change: Change, flushed: int | None = None, *, is_current: Callable[[], bool] = lambda: True
    ) -> None:
        """Make a change durable, and then let queries see it, without the chunks of the generation it flushed."""
        with self._changing:
            self._settle()
            try:
                self.catalog.commit(change)
            except BaseException:
                self._doubtful += (file for segment in change.add for file in segment.files)
                raise
            self._unseen.append((change, flushed, is_current))
            self._show()

    def _settle(self) -> None:
        """Finish what an error interrupted, before anything else is written or chosen.

        A commit that failed in its sync may still be found whole in the catalog's log after a crash, until another
        commit has been written over it. Its files stay until then, and nothing is written meanwhile.
        """
        self._show()
        if self._doubtful:
            self.catalog.commit(Change())
            files, self._doubtful = self._doubtful, []
            self.contents.discard(files)

    def _show(self) -> None:
        while self._unseen:
            change, flushed, is_current = self._unseen[0]
            self.contents.replace(add=change.add, remove=change.remove, flushed=flushed, is_current=is_current)
            self._unseen.pop(0)

    def _drop_strays(self) -> None:
        """Delete files that a crash left between writing a segment and its commit, or a removal and its unlink."""
        snapshot = self.contents.snapshot
        known = {file for signal in Signal for segment in snapshot.segments[signal] for file in segment.files}
        found = [path for folder in (*RECORD_FOLDERS, FOLDER) for path in self.data_dir.glob(f"{folder}/*/*")]
        self.contents.discard({str(path.relative_to(self.data_dir)) for path in found} - known)


def _select(chunk: Chunk, columns: Sequence[str] | None = None) -> Any:
    return chunk.table if columns is None else chunk.table.select(columns)


def _row_groups(paths: Sequence[Path]) -> Iterator[Any]:
    """The rows of several files, one row group at a time: merging needs the memory of two."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                yield file.read_row_group(number, use_threads=False)
