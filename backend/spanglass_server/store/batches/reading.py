"""Row groups and chunks with those of their columns that searches ask for again and again, decoded and kept.

Reading a column of a row group takes 30 to 150 microseconds, and the next search asks for most of them again: when and
how long, of which service, name and trace. They never change, so what was read once stays in the cache of parts.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spanglass_server.store.batches.columns import Column, column_of, joined
from spanglass_server.store.ports import LargeColumnsError, QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow.parquet as pq

    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Window
    from spanglass_server.store.segment_files.segments import Segment
    from spanglass_server.store.traces.footers import Footers, RowGroup

#: What the facts about a column of a row group take, about.
_BYTES_A_COLUMN = 100
#: Columns of a row group that are read at once take no more than this, before compression: 2 KiB a row.
_BYTES_MAX = 32 << 20
#: Ids that are new in nearly every row.
_UNIQUE = frozenset({"span_id", "parent_span_id"})
#: Reading columns of more rows to keep them takes up to twice the time of a statement. Only who asks again gains by it.
_NEW_ROWS = 250_000
_BYTES_A_KEY = 200
_ASKED = True


@dataclass(frozen=True, slots=True)
class Batch:
    """Some thousand rows that lie together: a row group of a segment, or a chunk of memory.

    ``constants`` are columns that have the same value in all rows, as an array of it.
    """

    rows: int
    min_time_ns: int
    max_time_ns: int
    constants: Mapping[str, Any]
    columns: Callable[[Collection[str]], Mapping[str, Column]]
    """Those of some columns that have a value and are no constants; what is not kept is read, all at once."""


@dataclass(frozen=True, slots=True)
class Source:
    """A segment's file: its key as a part, the column of its times, and their range."""

    path: Path
    key: tuple[str, int]
    time: str
    min_time_ns: int
    max_time_ns: int


@dataclass(slots=True)
class _Group:
    """A row group of a file: its number, times, and how many columns it has.

    What its footer says of these is found out when it is first read: that takes 0.4 ms, and of most row groups only
    the times are asked for.
    """

    number: int
    columns: int
    min_time_ns: int
    max_time_ns: int
    said: RowGroup | None = None

    def meets(self, windows: Sequence[Window]) -> bool:
        return any(self.min_time_ns < each.end_ns and self.max_time_ns >= each.start_ns for each in windows)


class Batches:
    """Row groups of files as batches, from what is kept where it is."""

    def __init__(self, footers: Footers, kept: PartCache) -> None:
        self._footers = footers
        self._kept = kept

    def of_file(self, source: Source, windows: Sequence[Window]) -> Iterator[Batch]:
        """Yield the row groups of a file that may have rows in one of some windows, in order.

        Columns of one are to be asked for before the next. ``QueryError`` if the file can't be read.
        """
        groups = self._kept.kept(("row groups", source.key), lambda: self._groups(source), _size_of)
        with ExitStack() as opened:
            file = _LazyFile(self._footers, source.path, opened)
            for group in groups:
                if group.meets(windows):
                    said = group.said or self._say(source.path, group)
                    columns = KeptColumns(self._kept, ("columns", source.key, said.number), partial(file.read, said))
                    yield Batch(said.rows, group.min_time_ns, group.max_time_ns, said.constants, columns.of)

    def _groups(self, source: Source) -> list[_Group]:
        with _readable():
            footer = self._footers.of(source.path)
        whole = (source.min_time_ns, source.max_time_ns)
        return [
            _Group(number, len(footer.leaves), *(footer.extremes(number, source.time) or whole))
            for number in range(footer.row_groups)
        ]

    def _say(self, path: Path, group: _Group) -> RowGroup:
        with _readable():
            group.said = said = self._footers.of(path).row_group(group.number)
        return said


class KeptColumns:
    """The columns of a batch: those that are kept under its key, and with them what is read."""

    def __init__(self, kept: PartCache, key: Hashable, read: Callable[[Collection[str]], Mapping[str, Column]]) -> None:
        self._kept = kept
        self._key = key
        self._read = read
        self._held: Mapping[str, Column | None] = kept.get(key) or {}

    def of(self, names: Collection[str]) -> Mapping[str, Column]:
        """See ``Batch``. If another thread reads other columns of the batch, some will have to be read again."""
        missing = [name for name in names if name not in self._held]
        if missing:
            self._held = {**self._held, **dict.fromkeys(missing), **self._read(missing)}
            self._kept.put(self._key, self._held, sum(_size_of_column(column) for column in self._held.values()))
        found = ((name, self._held[name]) for name in names)
        return {name: column for name, column in found if column is not None}


def _size_of_column(column: Column | None) -> int:
    return _BYTES_A_COLUMN + (0 if column is None else column.size)


class _LazyFile:
    """A file that is opened when the first of its column chunks is read, and closed with ``opened``."""

    def __init__(self, footers: Footers, path: Path, opened: ExitStack) -> None:
        self._footers = footers
        self._path = path
        self._opened = opened
        self._file: pq.ParquetFile | None = None

    def read(self, group: RowGroup, names: Collection[str]) -> dict[str, Column]:
        """Decode the column chunks that have values and are no constants; ``LargeColumnsError`` for long texts."""
        stored = [name for name in names if name in group.columns and name not in group.constants]
        if not stored:
            return {}
        with _readable():
            footer = self._footers.of(self._path)
            leaves = [footer.leaves[name] for name in stored]
            if footer.bytes_of(group.number, leaves) > _BYTES_MAX:
                raise LargeColumnsError("the columns of a search are too large to be kept")
            if self._file is None:
                self._file = self._opened.enter_context(footer.open())
            table = self._file.reader.read_row_group(group.number, column_indices=leaves, use_threads=False)
        return {name: column_of(joined(table.column(name).chunks)) for name in stored}


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise QueryError(f"stored data could not be read: {error}") from error


def batch_of_table(kept: PartCache, key: tuple[str, int], table: pa.Table, times_ns: tuple[int, int]) -> Batch:
    """A table of memory as a batch: its key as a part, and its first and last time."""

    def read(names: Collection[str]) -> dict[str, Column]:
        places = {name: table.schema.get_field_index(name) for name in names}
        return {
            name: column_of(joined(table.column(place).chunks), coded=name not in _UNIQUE)
            for name, place in places.items()
            if place >= 0
        }

    return Batch(table.num_rows, *times_ns, {}, KeptColumns(kept, ("columns", key, 0), read).of)


def _size_of(groups: Sequence[_Group]) -> int:
    return sum(_BYTES_A_COLUMN * group.columns for group in groups)


def are_asked_first(segments: Iterable[Segment], kept: PartCache) -> bool:
    """Whether many rows lie in segments that nobody has asked for lately; from now on somebody has."""
    new = [each for each in segments if not kept.has(("row groups", each.key)) and not kept.get(("asked", each.key))]
    if sum(each.rows for each in new) <= _NEW_ROWS:
        return False
    for each in new:
        kept.put(("asked", each.key), _ASKED, _BYTES_A_KEY)
    return True
