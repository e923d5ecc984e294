"""Values and attributes as ``AnyValue`` and ``KeyValue`` (opentelemetry-proto, common.proto)."""

from __future__ import annotations

import base64
import struct
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spanglass_server.overflow import overflow_entries
from spanglass_server.query.otlp_bytes.wire import (
    FIXED64,
    VARINT,
    block,
    blocks,
    fixed,
    joined,
    tag,
    varint,
    varints,
    whole,
)
from spanglass_server.query.rows.otlp_values import any_value
from spanglass_server.signals import AttributeColumn, ValueType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: More different values than these are written all at once, fewer one by one.
_DIFFERENT_MAX = 200


def value_bytes(kind: ValueType, value: Any) -> bytes:
    """Write a stored value."""
    return any_bytes(any_value(kind, value))


def any_bytes(value: Mapping[str, Any]) -> bytes:
    """Write an ``AnyValue`` of OTLP/JSON; nothing for an empty one."""
    for member, held in value.items():
        return _MEMBERS[member](held)
    return b""


def pair(field: int, key: str, value: bytes) -> bytes:
    """Write a ``KeyValue`` as a field."""
    return block(field, block(1, key.encode()) + block(2, value))


def _list(held: Mapping[str, Any]) -> bytes:
    return block(5, b"".join([block(1, any_bytes(item)) for item in held["values"]]))


def _map(held: Mapping[str, Any]) -> bytes:
    return block(6, b"".join([pair(1, entry["key"], any_bytes(entry["value"])) for entry in held["values"]]))


_MEMBERS: Mapping[str, Callable[[Any], bytes]] = {
    "stringValue": lambda held: block(1, held.encode()),
    "boolValue": lambda held: tag(2, VARINT) + (b"\1" if held else b"\0"),
    "intValue": lambda held: tag(3, VARINT) + varint(int(held)),
    "doubleValue": lambda held: tag(4, FIXED64) + struct.pack("<d", float(held)),
    "arrayValue": _list,
    "kvlistValue": _map,
    "bytesValue": lambda held: block(7, base64.b64decode(held)),
}


class Attributes:
    """The attributes of a table of stored rows, or of the items of its lists, by position.

    ``overflow`` has those that are no columns: the row, what, the value.
    """

    def __init__(self, table: pa.Table, overflow: Sequence[tuple[int, AttributeColumn, Any]]) -> None:
        self._table = table
        self._columns: dict[str, list[tuple[AttributeColumn, Any]]] = defaultdict(list)
        for name, column in zip(table.column_names, table.columns, strict=True):
            attribute = AttributeColumn.parse(name)
            if attribute is not None and column.null_count < table.num_rows:
                self._columns[attribute.position].append((attribute, column))
        self._overflow = overflow

    @classmethod
    def of_rows(cls, table: pa.Table) -> Attributes:
        """Those of a table of records."""
        return cls(table, [(row, attribute, value) for row, _, attribute, value in overflow_entries(table)])

    def has_overflow(self, position: str) -> bool:
        """Whether some attributes of a position are no columns."""
        return any(attribute.position == position for _, attribute, _ in self._overflow)

    def at(self, position: str, field: int) -> list[pa.Array]:
        """Columns of fields with the attributes that rows have at a position."""
        columns = [_fields(field, attribute, whole(column)) for attribute, column in self._columns[position]]
        if self.has_overflow(position):
            written = [b""] * self._table.num_rows
            for row, attribute, value in self._overflow:
                if attribute.position == position:
                    written[row] += pair(field, attribute.key, value_bytes(attribute.type, value))
            columns.append(pa.array(written, pa.binary()))
        return columns


def _fields(field: int, attribute: AttributeColumn, column: pa.Array) -> pa.Array:
    """A column of attributes as fields, each different value written once."""
    kind = attribute.type
    if kind is ValueType.DOUBLE:  # by its bits: zero and minus zero are equal
        column = column.view(pa.int64())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = column.dictionary
    if kind is ValueType.DOUBLE:
        values = values.view(pa.float64())
    if len(values) <= _DIFFERENT_MAX or kind not in _AT_ONCE:
        made = [pair(field, attribute.key, value_bytes(kind, value)) for value in values.to_pylist()]
        return pa.DictionaryArray.from_arrays(column.indices, pa.array(made, pa.binary()))
    key = pa.scalar(block(1, attribute.key.encode()), pa.binary())
    both = joined([key, blocks(2, _AT_ONCE[kind](values))], len(values))
    return pa.DictionaryArray.from_arrays(column.indices, blocks(field, both))


#: What writes many values of a type at once.
_AT_ONCE: Mapping[ValueType, Callable[[pa.Array], pa.Array]] = {
    ValueType.STR: lambda values: blocks(1, values),
    ValueType.INT: lambda values: varints(values, tag(3, VARINT)),
    ValueType.DOUBLE: lambda values: fixed(4, values),
}
