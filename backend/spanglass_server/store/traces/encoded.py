"""Ids in column chunks as they are encoded: found without decoding all others of the row group.

Arrow decodes whole column chunks: of 16,384 rows 150 microseconds for trace ids, 300 for ids of spans and 400 for those
of their parents. Whether a row group has a trace at all stands in the dictionary of its trace ids, which takes 20 to
look through. Ids of spans have eight bytes each and stand one behind the other, as their lengths are written apart, so
that a row's id is where its place says: 30 to 130 microseconds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.store.values.dictionaries import Dictionary, integer_at, page_header, unpacked, varint_at

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

_DATA_PAGE, _LENGTHS_APART = 0, 6  # a type of pages, an encoding
_ID_BYTES = 8
_LEVELS_BYTES = 4  # how long the levels of definition are
#: Each id takes up to 20 microseconds in a dictionary; more of them are looked for together, which takes 150.
_SOUGHT_MOST = 10
_LENGTH_BYTES = 4  # how long an id in a dictionary is stands before it
_NO_SUCH_PAGE = (IndexError, KeyError, TypeError, ValueError, pa.ArrowException)


def may_have_one_of(descriptor: int, chunk: Any, ids: Collection[bytes]) -> bool:
    """Whether a column chunk (``pyarrow``'s metadata) may have one of some ids, by its dictionary; ``OSError``."""
    try:
        known = Dictionary.find(descriptor, chunk)
        content = None if known is None else known.content(descriptor)
    except _NO_SUCH_PAGE:  # reading it says what is wrong
        return True
    if content is None:
        return True
    return _has_one_of(content, ids) if len(ids) > _SOUGHT_MOST else any(each in content for each in ids)


def _has_one_of(content: bytes, ids: Collection[bytes]) -> bool:
    """Whether the values of a dictionary may have one of many ids among them; true where not all are equally long."""
    size = len(next(iter(ids)))
    rows = len(content) // (_LENGTH_BYTES + size)
    if rows * (_LENGTH_BYTES + size) != len(content) or any(len(each) != size for each in ids):
        return True
    values = np.frombuffer(content, np.uint8).reshape(rows, _LENGTH_BYTES + size)
    if (values[:, :_LENGTH_BYTES] != np.frombuffer(size.to_bytes(_LENGTH_BYTES, "little"), np.uint8)).any():
        return True
    kind = pa.binary(size)
    packed = pa.py_buffer(np.ascontiguousarray(values[:, _LENGTH_BYTES:]))
    known = pa.Array.from_buffers(kind, rows, [None, packed])
    return bool(pc.any(pc.is_in(known, value_set=pa.array(list(ids), kind))).as_py())


def ids_of_rows(descriptor: int, chunk: Any, places: NDArray[np.intp]) -> pa.Array | None:
    """The ids of some rows, ascending, of a column chunk; None if it has to be decoded. ``OSError``."""
    if "DELTA_LENGTH_BYTE_ARRAY" not in chunk.encodings:
        return None
    packed = os.pread(descriptor, chunk.total_compressed_size, chunk.data_page_offset)
    try:
        page = _Page.of(packed, chunk.compression, chunk.num_values)
    except _NO_SUCH_PAGE:
        return None
    return None if page is None else page.ids(places)


@dataclass(frozen=True, slots=True)
class _Page:
    """A column chunk that is one page: which of its rows have an id, None if all have one; and the ids, one a row."""

    present: NDArray[np.bool_] | None
    values: NDArray[np.uint8]

    @classmethod
    def of(cls, packed: bytes, compression: str, rows: int) -> _Page | None:
        """Read a column chunk; None if it is something else."""
        fields, at = page_header(packed)
        page = fields.get(5)
        if fields[1] != _DATA_PAGE or page is None or page[1] != rows or page[2] != _LENGTHS_APART:
            return None
        if at + fields[3] != len(packed):
            return None
        content = unpacked(memoryview(packed)[at:], compression, fields[2])
        values_at = _LEVELS_BYTES + int.from_bytes(content[:_LEVELS_BYTES], "little")
        present = _present(content[_LEVELS_BYTES:values_at], rows)
        count = int(present.sum())
        begin = len(content) - _ID_BYTES * count
        if not _are_ids(content, values_at, begin, count):
            return None
        values = np.frombuffer(content, np.uint8, offset=begin).reshape(count, _ID_BYTES)
        return cls(None if count == rows else present, values)

    def ids(self, places: NDArray[np.intp]) -> pa.Array:
        """The ids of some rows; null where there is none."""
        if self.present is None:
            return _binary(self.values[places], None)
        have = self.present[places]
        ordinals = np.cumsum(self.present)[places] - 1
        return _binary(self.values[ordinals[have]], have)


def _are_ids(content: bytes, at: int, begin: int, count: int) -> bool:
    """Whether what lies between two places says that so many values have eight bytes each."""
    _, at = varint_at(content, at)  # numbers in a block, ...
    _, at = varint_at(content, at)  # ... and in how many parts
    said, at = varint_at(content, at)
    first, at = integer_at(content, at)
    # behind the first length come differences, and how many bits each takes: all of it is zero
    return said == count and first == _ID_BYTES and at <= begin and not any(content[at:begin])


def _present(levels: bytes, rows: int) -> NDArray[np.bool_]:
    """Which rows have a value: runs of rows that are alike, or of a bit a row."""
    found = np.empty(rows, np.bool_)
    at = row = 0
    while row < rows:
        head, at = varint_at(levels, at)
        size = head >> 1
        if head & 1:
            bits = np.unpackbits(np.frombuffer(levels, np.uint8, size, at), bitorder="little")[: rows - row]
            found[row : row + len(bits)] = bits
            at, row = at + size, row + len(bits)
        else:
            found[row : row + size] = levels[at]
            at, row = at + 1, row + size
    return found


def _binary(values: NDArray[np.uint8], have: NDArray[np.bool_] | None) -> pa.Array:
    """Ids as an array of Arrow; ``have`` says which rows have one, None if all have."""
    rows = len(values) if have is None else len(have)
    sizes = np.full(rows, _ID_BYTES) if have is None else have * _ID_BYTES
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    mask = None if have is None else pa.py_buffer(np.packbits(have, bitorder="little"))
    return pa.Array.from_buffers(
        pa.binary(), rows, [mask, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(values))]
    )
