"""What the store holds now: segments on disk and chunks in memory, as one immutable snapshot that changes in one step.

Readers take the snapshot and keep it as long as they like; a segment removed meanwhile stays on disk until the last of
them is done. Writers replace the snapshot under a lock, so a flushed row is never seen twice nor missed.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.signals import ROLLUPS, TIME_COLUMN, Signal
from spanglass_server.store.disk import DISK
from spanglass_server.store.ports import Arrived
from spanglass_server.store.traces.recent_rows import RecentRows
from spanglass_server.store.values.files import ValueFilters
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.store.disk import Disk
    from spanglass_server.store.ports import Window
    from spanglass_server.store.segment_files.segments import Segment


_RECORDS_MAX = 1 << 32  # of one generation
_SERIALS = count()
_MERGE_ROWS = 4096  # a chunk of this size costs a query 0.1 ms, however many columns it has
#: So many chunks of a generation stay apart: what alert rules made of one would be made anew of a merged one, 40 ms.
_APART = 4


def order_of(generation: int) -> int:
    """The arrival order of a generation's first record."""
    return generation * _RECORDS_MAX


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows in memory that are in no segment yet; the table is never changed, and ``serial`` is that of no other."""

    generation: int
    table: Any  # pa.Table
    min_time_ns: int
    max_time_ns: int
    arrived_ns: int
    serial: int = field(default_factory=_SERIALS.__next__, compare=False)

    @classmethod
    def of(cls, generation: int, signal: Signal, table: Any, arrived_ns: int) -> Chunk:
        """A chunk with its range of time."""
        low, high = pc.min_max(table[TIME_COLUMN[signal]]).values()
        return cls(generation, table, low.as_py(), high.as_py(), arrived_ns)

    @property
    def key(self) -> tuple[str, int]:
        """Its key as a part (``store.ports.Part``)."""
        return "chunk", self.serial

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    def joined(self, other: Chunk) -> Chunk:
        """One chunk with the rows of both."""
        return Chunk(
            self.generation,
            pa.concat_tables([self.table, other.table], promote_options="permissive").combine_chunks(),
            min(self.min_time_ns, other.min_time_ns),
            max(self.max_time_ns, other.max_time_ns),
            max(self.arrived_ns, other.arrived_ns),
        )

    def overlaps(self, window: Window) -> bool:
        """Whether a row may lie in the window."""
        return window.may_hold(self.min_time_ns, self.max_time_ns, self.arrived_ns)

    @property
    def last_order(self) -> int:
        """The largest arrival order in it; 0 of a signal that has none."""
        if "arrival_order" not in self.table.column_names:
            return 0
        return pc.max(self.table["arrival_order"]).as_py() or 0


def outdated_by(chunk: Chunk, rollups: Sequence[Segment]) -> set[int]:
    """The starts of the ranges with rollups that points of a chunk lie in; nearly always none."""
    covers = [segment.cover for segment in rollups if segment.cover is not None]
    if not covers or chunk.min_time_ns >= max(cover.end_ns for cover in covers) + NS_PER_MS:
        return set()
    times = chunk.table[TIME_COLUMN[Signal.METRICS]].to_numpy() - NS_PER_MS
    return {cover.start_ns for cover in covers if ((times >= cover.start_ns) & (times < cover.end_ns)).any()}


def _appended(chunks: tuple[Chunk, ...], chunk: Chunk) -> tuple[Chunk, ...]:
    """The chunks with one more; small ones of a generation are merged, as a binary counter carries, so few remain."""
    kept = list(chunks)
    apart = sum(held.generation == chunk.generation for held in kept)
    while apart >= _APART and kept[-1].generation == chunk.generation and kept[-1].rows < _most_rows(chunk):
        chunk, apart = kept.pop().joined(chunk), apart - 1
    return (*kept, chunk)


def _most_rows(chunk: Chunk) -> int:
    """With fewer rows than these the chunk before one is merged with it."""
    return min(2 * chunk.rows, _MERGE_ROWS)


def _empty() -> dict[Signal, tuple[Any, ...]]:
    return dict.fromkeys(Signal, ())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Segments and chunks of every signal at one moment.

    ``outdated`` are the starts of ranges whose rollups lack points that came later; None while that is unknown.
    """

    version: int = 0
    segments: Mapping[Signal, tuple[Segment, ...]] = field(default_factory=_empty)
    chunks: Mapping[Signal, tuple[Chunk, ...]] = field(default_factory=_empty)
    arrived: Mapping[Signal, Arrived] = field(default_factory=lambda: dict.fromkeys(Signal, Arrived(0, 0)))
    outdated: frozenset[int] | None = None

    @property
    def rows(self) -> int:
        """How many rows all parts have."""
        segments = sum(segment.rows for signal in Signal for segment in self.segments[signal])
        return segments + sum(chunk.rows for signal in Signal for chunk in self.chunks[signal])

    def part_keys(self) -> set[tuple[str, int]]:
        """The keys of all parts (``store.ports.Part``)."""
        segments = {segment.key for signal in Signal for segment in self.segments[signal]}
        return segments | {chunk.key for signal in Signal for chunk in self.chunks[signal]}

    def holds(self, window: Window, *signals: Signal) -> bool:
        """Whether the newest record of any part of these signals has a time in a window; others may have one, too."""
        chunks = (chunk.max_time_ns for signal in signals for chunk in self.chunks[signal])
        segments = (segment.max_time_ns for signal in signals for segment in self.segments[signal])
        return any(window.start_ns <= newest_ns < window.end_ns for newest_ns in chain(chunks, segments))

    def first_ns(self, *signals: Signal) -> int | None:
        """The time of the earliest record of these signals; None without any."""
        segments = (segment.min_time_ns for signal in signals for segment in self.segments[signal])
        chunks = (chunk.min_time_ns for signal in signals for chunk in self.chunks[signal])
        return min((*segments, *chunks), default=None)


class Contents:
    """The current snapshot, and who still looks at older ones."""

    def __init__(self, data_dir: Path, segments: Sequence[Segment], disk: Disk = DISK) -> None:
        self._data_dir = data_dir
        self._disk = disk
        self.values = ValueFilters(data_dir, disk)
        self.recent = RecentRows(data_dir, disk)
        self._lock = threading.Lock()
        by_signal = {signal: tuple(s for s in segments if s.signal is signal) for signal in Signal}
        arrived = {s: Arrived(0, max((each.arrived_ns for each in by_signal[s]), default=0)) for s in Signal}
        self._snapshot = Snapshot(segments=by_signal, arrived=arrived)
        self._readers: dict[int, int] = {}  # version -> how many read it
        self._doomed: list[tuple[int, str]] = []  # files to delete, and the version that no longer has them

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot as it is; for looking at figures, not for reading files."""
        return self._snapshot

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """The snapshot, with its files held on disk until the block ends."""
        with self._lock:
            snapshot = self._snapshot
            self._readers[snapshot.version] = self._readers.get(snapshot.version, 0) + 1
        try:
            yield snapshot
        finally:
            with self._lock:
                self._readers[snapshot.version] -= 1
                if not self._readers[snapshot.version]:
                    del self._readers[snapshot.version]
            self.sweep()

    def append(self, added: Mapping[Signal, Chunk]) -> None:
        """Add rows in memory, in the order of their arrival: a chunk for each of some signals, all or none of them.

        They count as received no earlier than the rows before them, which may have overtaken them while they waited.
        """
        with self._lock:
            chunks, arrived = dict(self._snapshot.chunks), dict(self._snapshot.arrived)
            for signal, chunk in added.items():
                before = arrived[signal]
                later = replace(chunk, arrived_ns=max(chunk.arrived_ns, before.time_ns))
                chunks[signal] = _appended(chunks[signal], later)
                arrived[signal] = Arrived(max(later.last_order, before.order), later.arrived_ns)
            outdated = self._snapshot.outdated
            if outdated is not None and Signal.METRICS in added:
                outdated |= outdated_by(added[Signal.METRICS], self._snapshot.segments[ROLLUPS[0]])
            self._snapshot = replace(self._snapshot, chunks=chunks, arrived=arrived, outdated=outdated)

    def judge_rollups(self, outdated: frozenset[int]) -> None:
        """Say which rollups lack points, once that is known; from now on it is noticed here."""
        with self._lock:
            self._snapshot = replace(self._snapshot, outdated=outdated)

    def exchange(self, signal: Signal, old: Chunk, table: Any) -> bool:
        """Put other rows of the same number and times in the place of a chunk's; False if it is not there any more."""
        with self._lock:
            chunks = self._snapshot.chunks[signal]
            if not any(chunk is old for chunk in chunks):
                return False
            changed = tuple(
                replace(chunk, table=table, serial=next(_SERIALS)) if chunk is old else chunk for chunk in chunks
            )
            self._snapshot = replace(self._snapshot, chunks={**self._snapshot.chunks, signal: changed})
            return True

    def begin(self, order: int) -> None:
        """Count everything that is stored at a start as arrived before this order."""
        with self._lock:
            arrived = {signal: Arrived(order, known.time_ns) for signal, known in self._snapshot.arrived.items()}
            self._snapshot = replace(self._snapshot, arrived=arrived)

    def chunks_of(self, generation: int) -> dict[Signal, list[Chunk]]:
        """The chunks of one generation."""
        snapshot = self._snapshot
        return {signal: [c for c in snapshot.chunks[signal] if c.generation == generation] for signal in Signal}

    def replace(
        self,
        *,
        add: Sequence[Segment] = (),
        remove: Collection[int] = (),
        flushed: int | None = None,
        is_current: Callable[[], bool] = lambda: True,
    ) -> None:
        """Swap segments, and drop the chunks of a generation that is in segments now, in one step.

        ``is_current`` says of rollups that are added whether no point came for them while they were made. An error
        means that nothing was swapped. A file that can't be deleted is no error: see ``sweep``.
        """
        gone = set(remove)
        with self._lock:
            old = self._snapshot
            segments = {
                signal: (
                    *(s for s in old.segments[signal] if s.id not in gone),
                    *(s for s in add if s.signal is signal),
                )
                for signal in Signal
            }
            chunks = {signal: tuple(c for c in old.chunks[signal] if c.generation != flushed) for signal in Signal}
            version = old.version + 1
            removed = [s for signal in Signal for s in old.segments[signal] if s.id in gone]
            doomed = [*self._doomed, *((version, file) for segment in removed for file in segment.files)]
            outdated = old.outdated
            if outdated is not None and is_current():
                outdated -= {segment.cover.start_ns for segment in add if segment.cover is not None}
            self._snapshot, self._doomed = Snapshot(version, segments, chunks, old.arrived, outdated), doomed
        self.values.forget(removed)
        self.discard(self.recent.forget(removed))

    def discard(self, files: Iterable[str]) -> None:
        """Delete files that are in no snapshot, now or as soon as they can be deleted."""
        with self._lock:
            self._doomed += [(0, file) for file in files]
        self.sweep()

    def has_unused(self) -> bool:
        """Whether there are files for ``sweep`` to delete."""
        return bool(self._doomed)

    def sweep(self) -> Exception | None:
        """Delete files that no reader can still need; those that can't be deleted wait for the next call.

        Returns why one can't be deleted. Queries and swaps, which call this too, are not to fail for it.
        """
        with self._lock:
            oldest = min(self._readers, default=self._snapshot.version)
            ready = [(version, file) for version, file in self._doomed if version <= oldest]
            self._doomed = [(version, file) for version, file in self._doomed if version > oldest]
        failure = None
        for version, file in ready:
            try:
                self._disk.unlink(self._data_dir / file)
            except Exception as error:  # noqa: BLE001 - whatever it is, the file is tried again
                failure = error
                with self._lock:
                    self._doomed.append((version, file))
        return failure
