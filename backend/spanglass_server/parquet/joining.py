"""A Parquet file made of row groups of others, whose columns are copied as they are, and of tables.

Reading and writing a row group anew takes 4 microseconds a row of 70 columns, copying it 0.3.
"""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from spanglass_server.parquet.row_groups import (
    MAGIC,
    TAIL,
    ChunkFields,
    ColumnFields,
    FileFields,
    GroupFields,
    Layout,
    RowGroup,
)
from spanglass_server.parquet.thrift import Field, Struct, integer, of_integer, of_list, of_struct

#: Places in a file that are kept, moved: all others, of indexes and filters, are left out.
_PLACES = (ColumnFields.DATA_AT, ColumnFields.DICTIONARY_AT)
_LEFT_OUT = (10, 14, 15)
#: 15 % fewer bytes than Snappy for a third more time of the processor.
_COMPRESSION = "zstd"
#: Row groups without a value that are kept, of some 20 kB each.
_EMPTY_KEPT = 16


class Joined:
    """One file with the columns of a schema: what is to be written of it comes from each call, in their order."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._layout = Layout(io.BytesIO(_written(schema.empty_table())))
        self._at = len(MAGIC)
        self._rows = 0
        self._groups: list[Field] = []
        self._empty: dict[int, RowGroup] = {}

    def begin(self) -> bytes:
        """What stands before the first row group."""
        return MAGIC

    def fits(self, group: RowGroup) -> bool:
        """Whether the columns of a row group are some of this file's, and of the same types."""
        columns = self._layout.columns
        return all(columns.get(name) == said for name, said in group.schema.items())

    def add(self, group: RowGroup) -> bytes:
        """Add a row group that fits; columns that it lacks are null."""
        parts = [group]
        if len(group.chunks) < len(self._layout.columns):
            parts.append(self._without_values(group.rows))
        chunks: dict[str, Field] = {}
        size, begun = 0, self._at
        for part in parts:
            missing = [name for name in part.chunks if name not in chunks]
            chunks |= {name: _moved(part.chunks[name], self._at - part.at) for name in missing}
            size += part.size
            self._at += len(part.content)
        self._rows += group.rows
        self._groups.append(
            of_struct(
                {
                    GroupFields.COLUMNS: of_list(chunks[name] for name in self._layout.columns),
                    GroupFields.BYTES: of_integer(size),
                    GroupFields.ROWS: of_integer(group.rows),
                    GroupFields.AT: of_integer(begun),
                    GroupFields.COMPRESSED: of_integer(self._at - begun),
                }
            )
        )
        return b"".join([part.content for part in parts])

    def write(self, table: pa.Table) -> bytes:
        """Add the rows of a table of the schema, as one row group; nothing for none."""
        if not table.num_rows:
            return b""
        # a column chunk has one dictionary
        return self.add(_first_group(_written(table.unify_dictionaries())))

    def end(self) -> bytes:
        """What stands behind the last row group."""
        known = self._layout.fields
        footer = of_struct(
            {
                **{number: known[number] for number in _KEPT if number in known},
                FileFields.SCHEMA: of_list(map(of_struct, known[FileFields.SCHEMA])),
                FileFields.ROWS: of_integer(self._rows),
                FileFields.ROW_GROUPS: of_list(self._groups),
            }
        ).value
        return footer + TAIL.pack(len(footer), MAGIC)

    def _without_values(self, rows: int) -> RowGroup:
        """A row group in which all columns are null; those of one size are as those before, of a few sizes most are."""
        known = self._empty.get(rows)
        if known is None:
            table = pa.table([pa.nulls(rows, field.type) for field in self._schema], self._schema)
            known = self._empty[rows] = _first_group(_written(table))
            if len(self._empty) > _EMPTY_KEPT:
                self._empty.pop(next(iter(self._empty)))
        return known


_KEPT = (FileFields.VERSION, FileFields.CREATED_BY, FileFields.ORDERS)


def _moved(chunk: Struct, by: int) -> Field:
    """A column chunk that stands so many bytes further on."""
    column: Struct = {number: value for number, value in chunk[ChunkFields.METADATA].items() if number not in _LEFT_OUT}
    for number in _PLACES:
        if number in column:
            column[number] = of_integer(integer(column[number]) + by)
    return of_struct({ChunkFields.AT: of_integer(0), ChunkFields.METADATA: of_struct(column)})


def _first_group(content: bytes) -> RowGroup:
    file = io.BytesIO(content)
    return RowGroup.read(file, Layout(file), 0)


def _written(table: pa.Table) -> bytes:
    """A table as a file, without Arrow's own schema: readers of Arrow would get dictionaries where there are texts."""
    file = io.BytesIO()
    with pq.ParquetWriter(file, table.schema, compression=_COMPRESSION, store_schema=False) as writer:
        if table.num_rows:
            writer.write_table(table, row_group_size=table.num_rows)
    return file.getvalue()
