"""Fields of protobuf for all rows of a column at once (protobuf.dev, "Encoding").

A column of fields has bytes for every row, none where the row lacks the field: joined row by row, columns are messages.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_NOTHING = pa.scalar(b"", pa.binary())
_UNSIGNED_64 = (1 << 64) - 1
_SHORT = [bytes([number]) for number in range(128)]


def varint(number: int) -> bytes:
    """Write a whole number; of a negative one its 64 bits."""
    if 0 <= number < len(_SHORT):
        return _SHORT[number]
    number &= _UNSIGNED_64
    written = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


@cache
def tag(field: int, kind: int) -> bytes:
    """Write what stands before a field."""
    return varint(field << 3 | kind)


def block(field: int, content: bytes) -> bytes:
    """Write one field of bytes: a text, bytes, a message."""
    return tag(field, BYTES) + varint(len(content)) + content


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column as one array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def joined(parts: Sequence[pa.Array], rows: int) -> pa.Array:
    """Put the columns of a message side by side; null counts as nothing."""
    if not parts:
        return pa.array([b""] * rows, pa.binary())
    # not by skipping nulls: pyarrow 26.0.1 leaves out rows in which all are null
    return whole(pc.binary_join_element_wise(*parts, _NOTHING, null_handling="replace", null_replacement=""))


def coded(column: pa.Array, make: Callable[[Any], bytes]) -> pa.Array:
    """What ``make`` makes of each value, once for equal ones; null stays null."""
    codes = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    table = pa.array([make(value) for value in codes.dictionary.to_pylist()], pa.binary())
    return table.take(codes.indices)


def blocks(field: int, column: pa.Array) -> pa.Array:
    """Fields of bytes, of a column of texts or bytes."""
    if pa.types.is_dictionary(column.type):
        return coded(column, lambda value: block(field, value.encode() if isinstance(value, str) else value))
    before = tag(field, BYTES)
    lengths = coded(pc.binary_length(column), lambda length: before + varint(length))
    return joined([lengths, column.cast(pa.binary())], len(column))


def numbers(field: int, column: pa.Array) -> pa.Array:
    """Fields of whole numbers, as varints; those that are zero are left out."""
    before = tag(field, VARINT)
    return coded(column, lambda value: before + varint(int(value)) if value else b"")


def fixed(field: int, column: pa.Array, kind: int = FIXED64) -> pa.Array:
    """Fields of eight bytes, or four: of whole or floating-point numbers; zero is written too."""
    before = np.frombuffer(tag(field, kind), np.uint8)
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    width = 8 if kind == FIXED64 else 4
    if width == 4:  # noqa: PLR2004 - bytes
        values = values.astype(np.uint32)
    content = np.empty((len(column), len(before) + width), np.uint8)
    content[:, : len(before)] = before
    content[:, len(before) :] = np.ascontiguousarray(values).view(np.uint8).reshape(-1, width)
    made = pa.FixedSizeBinaryArray.from_buffers(pa.binary(content.shape[1]), len(column), [None, pa.py_buffer(content)])
    plain = made.cast(pa.binary())
    return plain if not column.null_count else pc.if_else(column.is_valid(), plain, pa.scalar(None, pa.binary()))


def packed(field: int, column: pa.Array) -> pa.Array:
    """Fields of lists of numbers of eight bytes each."""
    flat = column.values.slice(column.offsets[0].as_py(), column.offsets[-1].as_py() - column.offsets[0].as_py())
    content = np.ascontiguousarray(flat.fill_null(0).to_numpy(zero_copy_only=False)).view(np.uint8)
    offsets = (column.offsets.to_numpy() - column.offsets[0].as_py()).astype(np.int32) * 8
    lists = pa.BinaryArray.from_buffers(pa.binary(), len(column), [None, pa.py_buffer(offsets), pa.py_buffer(content)])
    filled = pc.if_else(pc.equal(pc.binary_length(lists), 0), pa.scalar(None, pa.binary()), lists)
    return blocks(field, filled)


def rows_of(contents: Sequence[bytes | None]) -> pa.Array:
    """A column of what was written row by row."""
    return pa.array(contents, pa.binary())
