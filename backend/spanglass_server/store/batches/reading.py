"""Row groups and chunks with those of their columns that searches ask for again and again, decoded and kept.

Reading a column of a row group takes 30 to 150 microseconds, and the next search asks for most of them again: when and
how long, of which service, name and trace. They never change, so what was read once stays in the cache of parts.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.store.batches.columns import Column, column_of, joined

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    import pyarrow.parquet as pq

    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Window
    from spanglass_server.store.traces.footers import Footer, Footers, RowGroup

#: What the facts about a column of a row group take, about.
_BYTES_A_COLUMN = 100
#: Ids that are new in nearly every row.
_UNIQUE = frozenset({"span_id", "parent_span_id"})


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the columns of some thousand rows that lie together: a row group of a segment, or a chunk of memory.

    ``columns`` have a value for each row, ``constants`` the same in all, as an array of it; any other is null in all.
    """

    rows: int
    min_time_ns: int
    max_time_ns: int
    columns: Mapping[str, Column]
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A segment's file: its key as a part, the column of its times, and their range."""

    path: Path
    key: tuple[str, int]
    time: str
    min_time_ns: int
    max_time_ns: int


@dataclass(frozen=True, slots=True)
class _Group:
    """A row group: what its footer says, and its times."""

    said: RowGroup
    min_time_ns: int
    max_time_ns: int

    def meets(self, windows: Sequence[Window]) -> bool:
        return any(self.min_time_ns < each.end_ns and self.max_time_ns >= each.start_ns for each in windows)

    def batch(self, names: Collection[str], held: Mapping[str, Column]) -> Batch:
        said = self.said
        columns = {name: held[name] for name in names if name in said.columns and name not in said.constants}
        constants = {name: said.constants[name] for name in names if name in said.constants}
        return Batch(said.rows, self.min_time_ns, self.max_time_ns, columns, constants)


class Batches:
    """Row groups of files as batches, from what is kept where it is."""

    def __init__(self, footers: Footers, kept: PartCache) -> None:
        self._footers = footers
        self._kept = kept

    def of_file(self, source: Source, windows: Sequence[Window], names: Collection[str]) -> Iterator[Batch]:
        """Yield the row groups of a file that may have rows in one of some windows, in order, with those columns.

        Raises ``OSError`` or ``ArrowException`` if the file can't be read.
        """
        groups = self._kept.kept(("row groups", source.key), lambda: self._groups(source), _size_of)
        with ExitStack() as opened:
            file: pq.ParquetFile | None = None
            for group in groups:
                if not group.meets(windows):
                    continue
                key, said = ("columns", source.key, group.said.number), group.said
                held = self._kept.get(key) or {}
                missing = [
                    each for each in names if each in said.columns and each not in said.constants and each not in held
                ]
                if missing:
                    footer = self._footers.of(source.path)
                    file = file or opened.enter_context(footer.open())
                    held = _with(self._kept, key, held, _read(footer, file, said.number, missing))
                yield group.batch(names, held)

    def _groups(self, source: Source) -> list[_Group]:
        footer = self._footers.of(source.path)
        whole = (source.min_time_ns, source.max_time_ns)
        return [
            _Group(footer.row_group(number), *(footer.extremes(number, source.time) or whole))
            for number in range(footer.row_groups)
        ]


def batch_of_table(
    kept: PartCache, key: tuple[str, int], table: pa.Table, names: Collection[str], times_ns: tuple[int, int]
) -> Batch:
    """A table of memory as a batch: its key as a part, and its first and last time."""
    key_of_columns = ("columns", key, 0)
    held = kept.get(key_of_columns) or {}
    present = [name for name in names if table.schema.get_field_index(name) >= 0]
    missing = [name for name in present if name not in held]
    if missing:
        made = {name: column_of(joined(table.column(name).chunks), coded=name not in _UNIQUE) for name in missing}
        held = _with(kept, key_of_columns, held, made)
    return Batch(table.num_rows, *times_ns, {name: held[name] for name in present})


def _with(
    kept: PartCache, key: Hashable, held: Mapping[str, Column], made: Mapping[str, Column]
) -> Mapping[str, Column]:
    """Keep more columns of a batch; if another thread does so too, one of them will have to do it again."""
    columns = {**held, **made}
    kept.put(key, columns, sum(column.size for column in columns.values()))
    return columns


def _size_of(groups: Sequence[_Group]) -> int:
    return sum(_BYTES_A_COLUMN * len(group.said.columns) for group in groups)


def _read(footer: Footer, file: pq.ParquetFile, number: int, names: Sequence[str]) -> dict[str, Column]:
    """Decode column chunks."""
    leaves = [footer.leaves[name] for name in names]
    table = file.reader.read_row_group(number, column_indices=leaves, use_threads=False)
    return {name: column_of(joined(table.column(name).chunks)) for name in names}
