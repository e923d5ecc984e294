"""The filters of all segments: files beside them, written when a segment is there to stay, read when one is asked.

A segment whose filter is missing or damaged is opened always, and so are those that older versions wrote, until theirs
is written: nothing but time depends on these files.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from spanglass_server.store.disk import DISK, replace_file
from spanglass_server.store.values.building import build_filter
from spanglass_server.store.values.filter import Sought, ValueFilter, sought

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from spanglass_server.store.disk import Disk
    from spanglass_server.store.ports import ColumnValue
    from spanglass_server.store.segment_files.segments import Segment

_LOG = logging.getLogger(__name__)

#: What filters in memory take together; those of a hundred million spans take 27 MB.
_CACHE_BYTES = 48 << 20


class ValueFilters:
    """The filters of one data directory. Methods may be called from any thread."""

    def __init__(self, data_dir: Path, disk: Disk = DISK) -> None:
        self._data_dir = data_dir
        self._disk = disk
        self._lock = threading.Lock()
        self._read: OrderedDict[int, ValueFilter | None] = OrderedDict()  # by segment, what was asked last at the end
        self._bytes = 0
        self._failed: set[int] = set()

    def having(self, segments: Iterable[Segment], values: Sequence[Collection[ColumnValue]]) -> Iterator[Segment]:
        """Those of the segments that may have rows with one value of each collection, in their order."""
        clauses = sought(values)
        return (each for each in segments if all(self._may_hold(each, clause) for clause in clauses))

    def _may_hold(self, segment: Segment, clause: Sequence[Sought]) -> bool:
        present = [each for each in clause if each.column in segment.columns]
        if not present or segment.filter_file is None:
            return bool(present)
        held = self._filter_of(segment.id, segment.filter_file)
        return held is None or any(held.may_hold(each) for each in present)

    def _filter_of(self, segment_id: int, file: str) -> ValueFilter | None:
        with self._lock:
            if segment_id in self._read:
                self._read.move_to_end(segment_id)
                return self._read[segment_id]
        try:
            held = ValueFilter.from_bytes((self._data_dir / file).read_bytes())
        except OSError:  # most often it is not written yet
            return None
        self._keep(segment_id, held)
        return held

    def _keep(self, segment_id: int, held: ValueFilter | None) -> None:
        with self._lock:
            self._forget(segment_id)
            self._read[segment_id] = held
            self._bytes += _size(held)
            while self._bytes > _CACHE_BYTES:
                self._forget(next(iter(self._read)))

    def _forget(self, segment_id: int) -> None:
        self._bytes -= _size(self._read.pop(segment_id, None))

    def forget(self, segments: Collection[Segment]) -> None:
        """Release what is known of segments that are gone."""
        with self._lock:
            for segment in segments:
                self._forget(segment.id)
                self._failed.discard(segment.id)

    def write_missing(self, segments: Iterable[Segment], most: int) -> int:
        """Write at most so many filters of segments that have none yet; returns how many. Segments must stay meanwhile.

        ``OSError`` if the disk fails. A segment that can't be read is logged, and left without.
        """
        written = 0
        for segment in segments:
            if written == most:
                break
            if segment.filter_file is None or segment.id in self._failed:
                continue
            path = self._data_dir / segment.filter_file
            if path.exists():
                continue
            try:
                held = build_filter(self._data_dir / segment.file, segment.rows)
            except OSError:
                raise
            except Exception:  # noqa: BLE001 - a defect, or a damaged file, which queries will name
                self._failed.add(segment.id)
                _LOG.exception("no filter of values for %s: searches open it always", segment.file)
                continue
            replace_file(path, held.to_bytes(), self._disk)
            self._keep(segment.id, held)
            written += 1
        return written


def _size(held: ValueFilter | None) -> int:
    return 0 if held is None else len(held.bits)
