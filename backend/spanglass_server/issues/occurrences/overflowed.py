"""Attributes of the overflow lists as the columns that they would be if there were room, for those that are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.overflow import overflow_entries
from spanglass_server.signals import OVERFLOW_COLUMNS, ValueType

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.signals import AttributeColumn

_TYPES = {
    **dict.fromkeys((ValueType.STR, ValueType.JSON), pa.string()),
    ValueType.INT: pa.int64(),
    ValueType.DOUBLE: pa.float64(),
    ValueType.BOOL: pa.bool_(),
    ValueType.BYTES: pa.binary(),
}


def with_overflowed(table: Any, names: Collection[str]) -> Any:
    """Return a table with what its overflow has of these columns: added, or filled in where they have no value."""
    rows = _rows_with(table, names)
    if not len(rows):
        return table
    found: dict[str, dict[int, dict[int, Any]]] = {}
    for place, index, attribute, value in overflow_entries(table.select(list(OVERFLOW_COLUMNS)).take(pa.array(rows))):
        if attribute.name in names:
            found.setdefault(attribute.name, {}).setdefault(int(rows[place]), {})[index or 0] = value
            table = _with_column(table, attribute)
    for name, values in found.items():
        column = table[name].to_pylist()
        is_list = pa.types.is_list(table.schema.field(name).type)
        for row, items in values.items():
            column[row] = _filled(column[row], items) if is_list else items[0]
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(column, _plain_type(table.schema.field(name).type)))
    return table


def _rows_with(table: Any, names: Collection[str]) -> Any:
    """Return the rows whose overflow has one of these columns; few have any."""
    if not set(OVERFLOW_COLUMNS).issubset(table.column_names) or not names:
        return np.zeros(0, np.int64)
    lists = table["overflow_name"].combine_chunks()
    hit = pc.is_in(pc.list_flatten(lists), value_set=pa.array(list(names))).to_numpy(zero_copy_only=False)
    return np.unique(pc.list_parent_indices(lists).to_numpy()[hit])


def _with_column(table: Any, attribute: AttributeColumn) -> Any:
    if attribute.name in table.column_names:
        return table
    kind = pa.list_(_TYPES[attribute.type]) if attribute.is_list else _TYPES[attribute.type]
    return table.append_column(attribute.name, pa.nulls(table.num_rows, kind))


def _filled(held: list[Any] | None, items: dict[int, Any]) -> list[Any]:
    """Return the list of a row's events with the overflowed values at their places."""
    held = [*(held or ())]
    held += [None] * (max(items) + 1 - len(held))
    for index, value in items.items():
        held[index] = value
    return held


def _plain_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
