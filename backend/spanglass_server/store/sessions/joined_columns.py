"""Some columns of several tables as one table, without a copy, or the rows of some traces.

``pyarrow.concat_tables`` does the same, and compares the schemas of all tables for it: 2.4 ms for six columns of 18
chunks of memory, twice of a query's own time. Columns of one type are put side by side here instead, in 0.2 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence


def joined_columns(tables: Sequence[pa.Table], names: Iterable[str]) -> pa.Table:
    """The rows of all tables with those of the columns that any of them has, null where one lacks a column.

    Types of a column that differ are promoted to one that holds all of them.
    """
    columns = {name: column for name in names if (column := _joined(tables, name)) is not None}
    return pa.table(columns)


def _joined(tables: Sequence[pa.Table], name: str) -> pa.ChunkedArray | None:
    """A column of all tables; None if they all lack it."""
    places = [table.schema.get_field_index(name) for table in tables]
    held = [None if place < 0 else table.column(place) for table, place in zip(tables, places, strict=True)]
    types = {column.type for column in held if column is not None}
    if not types:
        return None
    kind = _widest(name, types) if len(types) > 1 else types.pop()
    chunks = [
        chunk for table, column in zip(tables, held, strict=True) for chunk in _chunks(column, table.num_rows, kind)
    ]
    return pa.chunked_array(chunks, kind)


def _chunks(column: pa.ChunkedArray | None, rows: int, kind: pa.DataType) -> list[pa.Array]:
    if column is None:
        return [pa.nulls(rows, kind)]
    promoted = column if column.type == kind else column.cast(kind)
    return list(promoted.chunks)


def _widest(name: str, types: Iterable[pa.DataType]) -> pa.DataType:
    """The type that holds all of these."""
    return pa.unify_schemas([pa.schema([(name, kind)]) for kind in types], promote_options="permissive").types[0]


def rows_of_these(table: pa.Table, names: Iterable[str], trace_ids: pa.Array) -> Iterator[pa.Table]:
    """Yield the rows of some traces with those of the columns that the table has, if it has any such row."""
    if table.schema.get_field_index("trace_id") >= 0:
        rows = pc.indices_nonzero(pc.is_in(table["trace_id"], value_set=trace_ids))
        if len(rows):
            yield table.select([name for name in names if table.schema.get_field_index(name) >= 0]).take(rows)


def without_dictionaries(table: pa.Table) -> pa.Table:
    """The same rows without dictionaries: what is read from files has none, and Arrow does not join both."""
    encoded = [name for name in table.column_names if pa.types.is_dictionary(table.schema.field(name).type)]
    for name in encoded:
        column = table[name]
        table = table.set_column(table.column_names.index(name), name, pc.cast(column, column.type.value_type))
    return table


def has_one_of(table: pa.Table, names: Collection[str]) -> bool:
    """Whether a table has one of some columns, if there are any."""
    return not names or any(table.schema.get_field_index(name) >= 0 for name in names)
