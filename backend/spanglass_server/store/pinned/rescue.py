"""Rows of pinned traces in segments that are due: they are written anew before the segment is deleted.

A due segment is read only where its filter of trace ids says that it may hold a pinned one: the ids first, then whole
row groups that have any. A segment that holds nothing else stays as it is.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spanglass_server.signals import Signal
from spanglass_server.store.segment_files.trace_filter import TraceFilter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from spanglass_server.store.segment_files.segments import Segment

_LOG = logging.getLogger(__name__)
_KEPT: Final = (Signal.SPANS, Signal.LOGS)
_ID: Final = "trace_id"


class PinnedTraces(Protocol):
    """Which traces are pinned. A pin that is acknowledged is among ``ids`` from then on."""

    def ids(self) -> frozenset[bytes]:
        """The ids of all of them; ``OSError``."""

    def adding(self) -> AbstractContextManager[None]:
        """Keep others from adding a pin until the block ends."""


class _NoPins:
    def ids(self) -> frozenset[bytes]:
        return frozenset()

    def adding(self) -> AbstractContextManager[None]:
        return nullcontext()


NO_PINS: Final = _NoPins()


class PinnedMeanwhileError(Exception):
    """A trace was pinned after ``Rescue.begin``: its rows may lie in what was to be deleted."""


class Rescue:
    """Used by one thread. ``max_bytes`` is how much of segments rows of pinned traces may be.

    ``OSError`` where ids or rows can't be read: nothing may be deleted then.
    """

    def __init__(self, data_dir: Path, pinned: PinnedTraces, max_bytes: int) -> None:
        self._data_dir = data_dir
        self._pinned = pinned
        self._max_bytes = max_bytes
        self._ids: frozenset[bytes] = frozenset()
        self._hashes: NDArray[Any] = TraceFilter.hashes_of(())
        self._whole: dict[int, tuple[int, frozenset[bytes]]] = {}  # segments of pinned rows only: bytes and ids

    def begin(self, segments: Sequence[Segment]) -> None:
        """Take the pins as they are now; segments that are gone, or not all pinned any more, are forgotten."""
        self._ids = self._pinned.ids()
        self._hashes = TraceFilter.hashes_of(self._ids)
        there = {segment.id for segment in segments}
        self._whole = {
            number: (size, ids) for number, (size, ids) in self._whole.items() if number in there and ids <= self._ids
        }

    @property
    def ids(self) -> frozenset[bytes]:
        """The pins as ``begin`` took them."""
        return self._ids

    @property
    def max_bytes(self) -> int:
        """How much of segments rows of pinned traces may be."""
        return self._max_bytes

    @contextmanager
    def no_more_pinned(self) -> Iterator[None]:
        """Let no trace be pinned until the block ends; ``PinnedMeanwhileError`` where one was since ``begin``."""
        with self._pinned.adding():
            if not self._pinned.ids() <= self._ids:
                raise PinnedMeanwhileError
            yield

    def is_whole(self, segment: Segment) -> bool:
        """Whether a segment is known to hold rows of pinned traces only."""
        return segment.id in self._whole

    def rows_of(self, segment: Segment) -> list[pa.Table]:
        """Return the rows of a due segment that stay, in order; none where it is to be deleted, or holds no others.

        ``is_whole`` tells which.
        """
        if segment.signal not in _KEPT or not self._ids or not segment.trace_ranges(self._hashes):
            return []
        found = list(self._rows(segment))
        count = sum(rows.num_rows for rows in found)
        if not count or self._is_too_much(segment, count):
            return []
        if count == segment.rows:
            self.keep(segment, found)
            return []
        return found

    def keep(self, segment: Segment, rows: Sequence[pa.Table]) -> None:
        """Take a segment as one of pinned rows only, which these are."""
        ids = (one for table in rows for one in pc.unique(table[_ID].cast(pa.binary())).to_pylist())
        self._whole[segment.id] = segment.bytes, frozenset(ids)

    def _rows(self, segment: Segment) -> Iterator[pa.Table]:
        wanted = pa.array(sorted(self._ids), pa.binary())
        with pq.ParquetFile(self._data_dir / segment.file) as file:
            for number in range(file.num_row_groups):
                ids = file.read_row_group(number, columns=[_ID], use_threads=False)[_ID].cast(pa.binary())
                chosen = pc.is_in(ids, value_set=wanted)
                if pc.any(chosen).as_py():
                    yield file.read_row_group(number, use_threads=False).filter(chosen)

    def _is_too_much(self, segment: Segment, count: int) -> bool:
        """Whether rows go past the bytes: pins were refused there, so only what came after pinning gets so far."""
        held = sum(size for size, _ in self._whole.values())
        if held + segment.bytes * count // segment.rows <= self._max_bytes:
            return False
        _LOG.warning("%d rows of pinned traces go with their segment: past retention.max_pinned_bytes", count)
        return True
