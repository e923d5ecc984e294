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


class Messages:
    """A column of messages that are not put together yet: what they are made of, side by side.

    ``parts`` are columns of fields; null counts as nothing, a scalar stands in every row. All different contents are
    in one list, and of each row it is known which of them it has: so bytes are copied once, for the rows asked for.
    """

    def __init__(self, parts: Sequence[pa.Array | pa.Scalar], rows: int) -> None:
        self._chosen: list[np.ndarray] = []
        self._contents: list[pa.Array] = []
        self._count = 0
        self.sizes = np.zeros(rows, np.int64)  # in bytes
        for part in parts:
            self._add(part)

    def as_fields(self, field: int) -> Messages:
        """The same, each as a field with its length."""
        self._add(varints(pa.array(self.sizes), tag(field, BYTES)), place=0)
        return self

    def taken(self, rows: np.ndarray | None = None) -> tuple[pa.Buffer | None, np.ndarray]:
        """The bytes of some rows one after the other, or of all, and where each begins and the last ends."""
        chosen = np.empty((len(self.sizes) if rows is None else len(rows), len(self._chosen)), np.int32)
        for place, codes in enumerate(self._chosen):
            chosen[:, place] = codes if rows is None else codes[rows]
        is_there = chosen >= 0
        edges = np.zeros(len(chosen) + 1, np.int64)
        np.cumsum(is_there.sum(axis=1), out=edges[1:])
        if not edges[-1]:
            return None, edges.astype(np.int32)
        if len(self._contents) > 1:
            self._contents = [pa.concat_arrays(self._contents)]
        pieces = self._contents[0].take(pa.array(chosen[is_there]))
        _, places, content = pieces.buffers()
        return content, np.frombuffer(places, np.int32, len(pieces) + 1)[edges]

    def _add(self, part: pa.Array | pa.Scalar, place: int | None = None) -> None:
        contents, codes = _coded_part(part, len(self.sizes))
        lengths = np.append(pc.fill_null(pc.binary_length(contents), 0).to_numpy(zero_copy_only=False), np.int32(0))
        self.sizes += lengths[codes]
        chosen = np.where(codes < 0, codes, codes + np.int32(self._count))
        self._chosen.insert(len(self._chosen) if place is None else place, chosen)
        self._contents.append(contents)
        self._count += len(contents)


def _coded_part(part: pa.Array | pa.Scalar, rows: int) -> tuple[pa.Array, np.ndarray]:
    """The different contents of a part, and which of them each row has; -1 for none."""
    if isinstance(part, pa.Scalar):
        return pa.array([part.as_py()], pa.binary()), np.zeros(rows, np.int32)
    if pa.types.is_dictionary(part.type):
        codes = pc.fill_null(part.indices.cast(pa.int32()), -1)
        return part.dictionary, codes.to_numpy(zero_copy_only=False)
    places = np.arange(rows, dtype=np.int32)
    if part.null_count:
        places[part.is_null().to_numpy(zero_copy_only=False)] = -1
    return part, places


def joined(parts: Sequence[pa.Array | pa.Scalar], rows: int) -> pa.Array:
    """Put the columns of a message side by side, see ``Messages``; a row without any has no bytes."""
    content, edges = Messages(parts, rows).taken()
    return pa.BinaryArray.from_buffers(pa.binary(), rows, [None, pa.py_buffer(edges), content or pa.py_buffer(b"")])


def coded(column: pa.Array, make: Callable[[Any], bytes]) -> pa.DictionaryArray:
    """What ``make`` makes of each value, once for equal ones; null stays null."""
    codes = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    made = pa.array([make(value) for value in codes.dictionary.to_pylist()], pa.binary())
    return pa.DictionaryArray.from_arrays(codes.indices, made)


def blocks(field: int, column: pa.Array) -> pa.Array:
    """Fields of bytes, of a column of texts or bytes."""
    if pa.types.is_dictionary(column.type):
        return coded(column, lambda value: block(field, value.encode() if isinstance(value, str) else value))
    lengths = varints(pc.binary_length(column), tag(field, BYTES))
    return joined([lengths, column.cast(pa.binary())], len(column))


def varints(column: pa.Array, before: bytes) -> pa.Array:
    """Whole numbers as varints behind the same bytes each; null stays null."""
    values = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64, copy=False).view(np.uint64)
    sizes = np.ones(len(values), np.int32)
    for bits in range(7, 64, 7):
        is_longer = values >= np.uint64(1 << bits)
        if not is_longer.any():
            break
        sizes += is_longer
    places = np.arange(sizes.max(initial=1))
    content = np.empty((len(values), len(before) + len(places)), np.uint8)
    content[:, : len(before)] = np.frombuffer(before, np.uint8)
    content[:, len(before) :] = (values[:, None] >> (places * 7).astype(np.uint64)) & np.uint64(0x7F)
    content[:, len(before) :] |= np.where(places < sizes[:, None] - 1, np.uint8(0x80), np.uint8(0))
    is_used = np.arange(content.shape[1]) < len(before) + sizes[:, None]
    ends = np.cumsum(len(before) + sizes, dtype=np.int32)
    edges = np.concatenate([np.zeros(1, np.int32), ends])
    return _null_as_in(
        column,
        pa.BinaryArray.from_buffers(
            pa.binary(), len(column), [None, pa.py_buffer(edges), pa.py_buffer(content[is_used])]
        ),
    )


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
    return _null_as_in(column, made.cast(pa.binary()))


def _null_as_in(column: pa.Array, made: pa.Array) -> pa.Array:
    """What was made of a column, null where that is."""
    return made if not column.null_count else pc.if_else(column.is_valid(), made, pa.scalar(None, pa.binary()))


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
