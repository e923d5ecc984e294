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
    coded,
    joined,
    tag,
    varint,
    whole,
)
from spanglass_server.query.rows.otlp_values import any_value
from spanglass_server.signals import LIST_POSITIONS, AttributeColumn, ValueType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: More different texts than these are written all at once, fewer one by one.
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


def pairs(field: int, entries: Any) -> bytes:
    """Write attributes, each with key, kind and value, as fields."""
    return b"".join([pair(field, key, value_bytes(kind, value)) for key, kind, value in entries])


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
    """The attributes of a table of stored rows, by position."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._columns: dict[str, list[tuple[AttributeColumn, Any]]] = defaultdict(list)
        for name, column in zip(table.column_names, table.columns, strict=True):
            attribute = AttributeColumn.parse(name)
            if attribute is not None and column.null_count < table.num_rows:
                self._columns[attribute.position].append((attribute, column))
        self._overflow = [*overflow_entries(table)]

    def has_overflow(self, position: str) -> bool:
        """Whether some attributes of a position are no columns."""
        return any(entry[2].position == position for entry in self._overflow)

    def of_records(self, position: str, field: int) -> list[pa.Array]:
        """Columns of fields with the attributes of rows, their resource or scope."""
        columns = [_fields(field, attribute, whole(column)) for attribute, column in self._columns[position]]
        rest = [entry for entry in self._overflow if entry[2].position == position]
        if rest and position not in LIST_POSITIONS:
            written = [b""] * self._table.num_rows
            for row, _, attribute, value in rest:
                written[row] += pairs(field, [(attribute.key, attribute.type, value)])
            columns.append(pa.array(written, pa.binary()))
        return columns

    def of_items(self, position: str, field: int) -> Mapping[tuple[int, int], bytes]:
        """Fields with the attributes of events, links or exemplars, by row and index."""
        items: dict[tuple[int, int], bytes] = defaultdict(bytes)
        for row, index, attribute, value in self._items(position):
            items[row, index] += pairs(field, [(attribute.key, attribute.type, value)])
        return items

    def _items(self, position: str) -> Iterator[tuple[int, int, AttributeColumn, Any]]:
        for attribute, column in self._columns[position]:
            for row, values in enumerate(column.to_pylist()):
                for index, value in enumerate(values or ()):
                    if value is not None:
                        yield row, index, attribute, value
        yield from (entry for entry in self._overflow if entry[2].position == position)


def _fields(field: int, attribute: AttributeColumn, column: pa.Array) -> pa.Array:
    """A column of attributes as fields."""
    if attribute.type is ValueType.STR and not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if attribute.type is ValueType.STR and len(column.dictionary) > _DIFFERENT_MAX:
        texts = column.dictionary.cast(pa.string())
        key = pa.scalar(block(1, attribute.key.encode()), pa.binary())
        both = joined([key, blocks(2, blocks(1, texts))], len(texts))
        return blocks(field, both).take(column.indices)
    if attribute.type is ValueType.DOUBLE:  # by its bits: zero and minus zero are equal
        bits = column.view(pa.int64())
        return coded(bits, lambda value: pair(field, attribute.key, tag(4, FIXED64) + struct.pack("<q", value)))
    return coded(column, lambda value: pair(field, attribute.key, value_bytes(attribute.type, value)))
