"""Rows of segments that were just written, a second time, as they stood in memory: for traces that people look at.

In a segment the values of a trace are sought in 52 encoded columns, 5 ms of processor time; from a table in memory they
are taken in 0.5. So what was flushed lately lies in Arrow streams too, mapped while they are read. They are there for a
minute or two, until compaction writes the segment anew, and for this process alone: nothing of them is synced, what a
start finds is deleted, and whatever can't be written or read is read from the segment.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.signals import Signal
from spanglass_server.store.disk import DISK
from spanglass_server.store.segment_files.trace_filter import TraceFilter
from spanglass_server.store.traces.rows import InMemory, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from spanglass_server.store.disk import Disk
    from spanglass_server.store.ports import OfTraces
    from spanglass_server.store.segment_files.segments import Segment

_LOG = logging.getLogger(__name__)

FOLDER = "recent"  # of the data directory
#: What all files take together, those written last: a million spans of the benchmark.
MOST_BYTES = 384 << 20
#: Texts that take more bytes a row than this are written by their dictionary, if that is small.
_LONG_TEXTS = 8
#: Codes of dictionaries of so many values fit into so many bits.
_WIDTHS = ((1 << 7, pa.int8()), (1 << 15, pa.int16()))


@dataclass(frozen=True, slots=True)
class _Stream:
    """Where one of a file's streams lies, and the hashes of its trace ids, ascending."""

    start: int
    end: int
    hashes: NDArray[np.uint64]

    def may_have_one_of(self, hashes: NDArray[np.uint64]) -> bool:
        """Whether rows of one of some traces may be in it."""
        places = np.searchsorted(self.hashes, hashes)
        return bool((self.hashes[np.minimum(places, len(self.hashes) - 1)] == hashes).any())


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file of streams, relative to the data directory."""

    file: str
    streams: Sequence[_Stream]
    turn: int

    @property
    def bytes(self) -> int:
        """How large it is."""
        return self.streams[-1].end


class RecentRows:
    """Rows of the segments of one data directory that were written last. Thread-safe."""

    def __init__(self, data_dir: Path, disk: Disk = DISK, most_bytes: int = MOST_BYTES) -> None:
        self._data_dir = data_dir.resolve()
        self._disk = disk
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: dict[Path, _Kept] = {}  # by the segment's file, in the order in which they were written
        self._turn = 0

    def keep(self, segment: Segment, tables: Sequence[pa.Table]) -> list[str]:
        """Keep the rows of a segment of spans, unless that fails; returns files that are to be deleted instead."""
        if segment.signal is not Signal.SPANS:
            return []
        file = f"{FOLDER}/{segment.signal}/{segment.id:012d}.arrows"
        path = self._data_dir / file
        try:
            self._disk.make_directory(path.parent)
            places = self._disk.write_streams(path, map(_narrow, tables))
            hashes = [np.unique(TraceFilter.hashes(table["trace_id"])) for table in tables]
            streams = [*map(_Stream, places, places[1:], hashes)]
        except OSError as error:
            _LOG.info("rows of %s are read from there alone: %s", segment.file, error)
            return [file]
        except Exception:  # noqa: BLE001 - a defect; the rows are in the segment
            _LOG.exception("rows of %s are read from there alone", segment.file)
            return [file]
        with self._lock:
            self._kept[self._data_dir / segment.file] = _Kept(file, streams, self._turn)
            return self._over()

    def _over(self) -> list[str]:
        """Forget the oldest while all are too large; returns their files."""
        held, gone = sum(kept.bytes for kept in self._kept.values()), []
        while held > self._most_bytes:
            oldest = self._kept.pop(next(iter(self._kept)))
            held -= oldest.bytes
            gone.append(oldest.file)
        return gone

    def forget(self, removed: Iterable[Segment]) -> list[str]:
        """Forget segments that are gone; returns the files that are to be deleted."""
        with self._lock:
            gone = [self._kept.pop(self._data_dir / segment.file, None) for segment in removed]
        return [kept.file for kept in gone if kept is not None]

    def pass_turn(self) -> list[str]:
        """Forget what was kept before the last call; returns the files that are to be deleted."""
        with self._lock:
            old = [path for path, kept in self._kept.items() if kept.turn < self._turn]
            self._turn += 1
            return [self._kept.pop(path).file for path in old]

    def find(self, path: Path, wanted: OfTraces) -> list[pa.Table] | None:
        """The rows of some traces in a segment's file, with columns without values; None if they are to be read there.

        In the order in which they came. The tables are copies: nothing holds the file afterwards.
        """
        kept = self._kept.get(path)
        if kept is None:
            return None
        hashes = TraceFilter.hashes_of(wanted.trace_ids)
        streams = [stream for stream in kept.streams if stream.may_have_one_of(hashes)]
        try:
            with pa.memory_map(str(self._data_dir / kept.file)) as mapped:
                content = mapped.read_buffer()
                found = [find(InMemory(_table(content, stream)), wanted) for stream in streams]
        except (OSError, pa.ArrowException):  # deleted since, or damaged
            return None
        return [table for table in found if table is not None]


def _table(content: pa.Buffer, stream: _Stream) -> pa.Table:
    with pa.ipc.open_stream(content.slice(stream.start, stream.end - stream.start)) as opened:
        return opened.read_all()


def _narrow(table: pa.Table) -> pa.Table:
    """The same rows in one piece, in fewer bytes as far as that takes little time."""
    whole = table.combine_chunks()
    return pa.table([_narrow_column(column) for column in whole.columns], names=whole.column_names)


def _narrow_column(column: pa.ChunkedArray) -> Any:
    if column.num_chunks != 1:
        return column
    values = column.chunk(0)
    if pa.types.is_string(values.type) and values.nbytes > _LONG_TEXTS * len(values):
        values = values.dictionary_encode()
    if not pa.types.is_dictionary(values.type):
        return column
    width = next((kind for most, kind in _WIDTHS if len(values.dictionary) <= most), None)
    return column if width is None else pa.DictionaryArray.from_arrays(values.indices.cast(width), values.dictionary)
