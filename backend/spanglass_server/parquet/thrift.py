"""Thrift's compact protocol, as far as the footers of Parquet files need it: structs as fields that stay encoded.

A footer of 8 row groups with 70 columns has some 20,000 values, and all but four a column are handed on as they are: so
fields are found, not decoded, and structs are written of fields that are encoded already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Types of fields.
I16, I32, I64, BINARY, LIST, STRUCT = 4, 5, 6, 8, 9, 12
_TRUE, _FALSE, _BYTE, _DOUBLE, _SET = 1, 2, 3, 7, 10
_DOUBLE_BYTES = 8
#: A list whose first byte says this has its length behind it; a field is no further than this from the one before.
_FAR = 15
_LOW_HALF, _MORE, _LOW = 15, 128, 127

#: Which fields are structs, or lists of them, that are taken apart too, by their numbers; and which fields of those.
Inner: TypeAlias = "Mapping[int, Inner]"
#: The fields of a struct by their numbers. Those that were taken apart are such a struct, or a list of them.
Struct: TypeAlias = "dict[int, Any]"


class Field(NamedTuple):
    """The type of a field, and its value as it is encoded."""

    kind: int
    value: bytes


def struct_at(data: bytes, at: int, inner: Inner) -> tuple[Struct, int]:
    """The fields of a struct that begins at a place, and where it ends. ValueError, IndexError for what is none."""
    found: Struct = {}
    number = 0
    while head := data[at]:
        at += 1
        kind = head & _LOW_HALF
        if head > _LOW_HALF:
            number += head >> 4
        else:
            coded, at = _varint(data, at)
            number = coded >> 1 ^ -(coded & 1)
        if number in inner:
            taken = _struct if kind == STRUCT else _structs
            found[number], at = taken(data, at, inner[number])
            continue
        end = at if kind <= _FALSE else _end(data, at, kind)
        found[number] = Field(kind, data[at:end])
        at = end
    return found, at + 1


def integer(field: Field) -> int:
    """The number of an integer field."""
    number, _ = _varint(field.value, 0)
    return number >> 1 ^ -(number & 1)


def text(field: Field) -> str:
    """The text of a field of bytes."""
    size, at = _varint(field.value, 0)
    return field.value[at : at + size].decode()


def of_integer(number: int, kind: int = I64) -> Field:
    """A field of an integer from -2^63 to 2^63 - 1."""
    return Field(kind, _of_varint(number << 1 ^ number >> 63))


def of_struct(fields: Mapping[int, Field]) -> Field:
    """A field that is a struct of some fields, by their numbers."""
    written, last = bytearray(), 0
    for number, (kind, value) in sorted(fields.items()):
        step = number - last
        if step <= _FAR:
            written.append(step << 4 | kind)
        else:
            written.append(kind)
            written += of_integer(number).value
        written += value
        last = number
    written.append(0)
    return Field(STRUCT, bytes(written))


def of_list(of: Iterable[Field]) -> Field:
    """A field that is a list of structs."""
    values = [field.value for field in of]
    count = len(values)
    head = bytes([count << 4 | STRUCT]) if count < _FAR else bytes([_FAR << 4 | STRUCT]) + _of_varint(count)
    return Field(LIST, head + b"".join(values))


_struct = struct_at


def _structs(data: bytes, at: int, inner: Inner) -> tuple[list[Struct], int]:
    count, kind, at = _list_head(data, at)
    if kind != STRUCT:
        raise ValueError(f"a list of structs has elements of type {kind}")
    found = []
    for _ in range(count):
        each, at = struct_at(data, at, inner)
        found.append(each)
    return found, at


def _end(data: bytes, at: int, kind: int) -> int:
    """Where a value ends; a boolean is one of a list, since those of structs stand in their heads."""
    if I16 <= kind <= I64:
        while data[at] >= _MORE:
            at += 1
        return at + 1
    if kind == BINARY:
        size, at = _varint(data, at)
        return at + size
    if kind == STRUCT:
        return _struct_end(data, at)
    if kind in {LIST, _SET}:
        count, of, at = _list_head(data, at)
        for _ in range(count):
            at = _end(data, at, of)
        return at
    if kind <= _BYTE:
        return at + 1
    if kind == _DOUBLE:
        return at + _DOUBLE_BYTES
    raise ValueError(f"a Parquet footer has a field of type {kind}")


def _struct_end(data: bytes, at: int) -> int:
    while head := data[at]:
        at += 1
        kind = head & _LOW_HALF
        if head <= _LOW_HALF:
            _, at = _varint(data, at)
        if kind > _FALSE:
            at = _end(data, at, kind)
    return at + 1


def _list_head(data: bytes, at: int) -> tuple[int, int, int]:
    """How many elements a list has, their type, and where the first begins."""
    head = data[at]
    count, at = head >> 4, at + 1
    if count == _FAR:
        count, at = _varint(data, at)
    return count, head & _LOW_HALF, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = data[at]
    at += 1
    if value < _MORE:
        return value, at
    value &= _LOW
    shift = 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & _LOW) << shift
        if byte < _MORE:
            return value, at
        shift += 7


def _of_varint(number: int) -> bytes:
    written = bytearray()
    while number >= _MORE:
        written.append(number & _LOW | _MORE)
        number >>= 7
    written.append(number)
    return bytes(written)
