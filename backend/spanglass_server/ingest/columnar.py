"""Small steps over nested Arrow arrays, shared by the shredders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Flat:
    """The items of a list column: their values, and for each item the row it stands in."""

    values: Any  # pa.Array
    parents: NDArray[np.int64]
    offsets: NDArray[np.int64]  # one more than rows

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of items of each row."""
        return steps(self.offsets)

    def ranks(self) -> NDArray[np.int64]:
        """Position of each item within its row, from 0."""
        return np.arange(len(self.parents)) - self.offsets[self.parents]


def steps(offsets: NDArray[Any]) -> NDArray[Any]:
    """From each offset to the next; ``np.diff`` takes 5 µs for that, which small requests do twenty times."""
    lengths: NDArray[Any] = offsets[1:] - offsets[:-1]
    return lengths


def flatten(lists: Any) -> Flat:
    """The items of a ListArray, in order, without a copy of their values."""
    offsets = lists.offsets.to_numpy().astype(np.int64)
    first, last = (offsets[0], offsets[-1]) if len(offsets) else (0, 0)
    values = lists.values.slice(first, last - first)
    offsets = offsets - first
    parents = np.repeat(np.arange(len(lists)), steps(offsets))
    return Flat(values, parents, offsets)


def field(struct: Any, name: str) -> Any:
    """A struct array's child, as long as the struct (``StructArray.field`` leaves the slice's offset applied)."""
    return struct.field(name)


def fields(struct: Any, *names: str) -> list[Any]:
    """Several children at once."""
    return [struct.field(name) for name in names]


def numpy(array: Any) -> NDArray[Any]:
    """A fixed-width array without nulls as numpy."""
    return array.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def take_or_null(values: Any, positions: NDArray[np.int64]) -> Any:
    """``values`` at ``positions``; a negative position gives null."""
    missing = positions < 0
    if not missing.any():
        return values.take(pa.array(positions))
    return values.take(pa.array(positions, mask=missing))


def laid_out(values: Any, rows: NDArray[np.int64], count: int) -> Any:
    """Values without nulls, each in its row (ascending) of ``count``; null in the others.

    Half the time of taking them by positions of which some are null.
    """
    if len(rows) == count:
        return values
    kind, is_there = values.type, np.zeros(count, bool)
    is_there[rows] = True
    if pa.types.is_boolean(kind):
        plain = np.zeros(count, bool)
        plain[rows] = numpy(values)
        return pa.array(plain, mask=~is_there)
    buffers = [pa.py_buffer(np.packbits(is_there, bitorder="little"))]
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        offsets = np.zeros(count + 1, np.int32)
        np.cumsum(is_there, out=offsets[1:])
        buffers += [pa.py_buffer(_offsets(values)[offsets]), values.buffers()[2]]
    else:
        given = numpy(values)
        placed = np.zeros(count, given.dtype)
        placed[rows] = given
        buffers.append(pa.py_buffer(placed))
    return pa.Array.from_buffers(kind, count, buffers, count - len(rows))


def spread(values: Any, rows: NDArray[np.int64]) -> Any:
    """Repeat values of a resource or scope over its records; text as a dictionary, which costs 4 bytes a row."""
    if values.null_count == len(values):
        return pa.nulls(len(rows), values.type)
    if not pa.types.is_string(values.type):
        return values.take(pa.array(rows))
    encoded = values.dictionary_encode()
    if not values.null_count:
        return pa.DictionaryArray.from_arrays(pa.array(encoded.indices.to_numpy()[rows]), encoded.dictionary)
    codes = encoded.indices.fill_null(-1).to_numpy()[rows]
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), encoded.dictionary)


def null_if_zero(values: Any) -> Any:
    """An optional number whose default was sent is absent."""
    plain = numpy(values)
    return pa.array(plain, type=values.type, mask=plain == 0)


def null_if_empty(values: Any) -> Any:
    """An optional text or id that is empty is absent. Nothing is copied but what says which are there."""
    is_there = steps(_offsets(values)) > 0
    if values.null_count:
        is_there &= numpy(values.is_valid())
    count = int(np.count_nonzero(is_there))
    if not count:
        return pa.nulls(len(values), values.type)
    if count == len(values):
        return values
    buffers = [pa.py_buffer(np.packbits(is_there, bitorder="little")), pa.py_buffer(_offsets(values))]
    return pa.Array.from_buffers(values.type, len(values), [*buffers, values.buffers()[2]], len(values) - count)


def _offsets(values: Any) -> NDArray[np.int32]:
    """Offsets of a string or binary array, slice applied."""
    return (
        np.frombuffer(values.buffers()[1], dtype=np.int32, count=len(values) + 1, offset=4 * values.offset)
        if len(values)
        else np.zeros(1, np.int32)
    )


def byte_lengths(values: Any) -> NDArray[np.int64]:
    """Length in bytes of each text or binary value (null counts 0)."""
    return steps(_offsets(values)).astype(np.int64)


def wrap_lists(values: Any, flat: Flat) -> Any:
    """Item-level values as one list a row; a row without items is null."""
    return pa.ListArray.from_arrays(pa.array(flat.offsets, type=pa.int32()), values, mask=pa.array(flat.counts == 0))
