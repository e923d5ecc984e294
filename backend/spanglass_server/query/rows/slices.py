"""Tables cut by what their rows take once they are written, where a text that many of them share stands in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Of a number, a time, a boolean.
_PLAIN_BYTES = 8


def slices(table: pa.Table, most_rows: int, most_bytes: int) -> Iterator[pa.Table]:
    """Yield the rows of a table in their order: at most so many, of so many bytes, at a time, but at least one row.

    Dictionaries of a slice have little that is not in its rows.
    """
    for start, end in cuts(row_bytes(table), most_rows, most_bytes):
        yield _compacted(table.slice(start, end - start))


def cuts(sizes: np.ndarray, most_rows: int, most_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield where slices of rows of these sizes begin and end: at most so many rows and bytes, at least one row."""
    before = np.concatenate([[0], np.cumsum(sizes)])
    start = 0
    while start < len(sizes):
        end = int(np.searchsorted(before, before[start] + most_bytes, "right")) - 1
        end = min(max(end, start + 1), start + most_rows, len(sizes))
        yield start, end
        start = end


def row_bytes(table: pa.Table) -> np.ndarray:
    """How many bytes the values of each row take; without the names of columns, and nothing for a column of nulls."""
    total = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        start = 0
        for chunk in column.chunks:
            if chunk.null_count < len(chunk):
                total[start : start + len(chunk)] += _value_bytes(chunk)
            start += len(chunk)
    return total


def _value_bytes(array: pa.Array) -> np.ndarray:
    kind = array.type
    if pa.types.is_dictionary(kind):
        of_values = np.append(_value_bytes(array.dictionary), 0)  # the last is that of nulls
        places = pc.fill_null(array.indices.cast(pa.int64()), len(of_values) - 1)
        return np.asarray(of_values[places.to_numpy(zero_copy_only=False)], np.int64)
    if pa.types.is_list(kind):
        offsets = array.offsets.to_numpy()
        first, last = int(offsets[0]), int(offsets[-1])  # of a slice, values has all that it was cut from
        before = np.concatenate([[0], np.cumsum(_value_bytes(array.values.slice(first, last - first)))])
        return np.diff(before[offsets - first])
    if pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind):
        return np.asarray(pc.fill_null(pc.binary_length(array), 0), np.int64)
    of_one = array.nbytes // max(1, len(array)) if pa.types.is_nested(kind) else _PLAIN_BYTES
    return np.full(len(array), of_one, np.int64)


def _compacted(table: pa.Table) -> pa.Table:
    """The rows without dictionaries of which most is not in them: each would be written whole."""
    for place, field in enumerate(table.schema):
        column = table.column(place)
        if pa.types.is_dictionary(field.type) and sum(len(of.dictionary) for of in column.chunks) > 2 * len(column):
            made = column.cast(field.type.value_type).dictionary_encode().cast(field.type)
            table = table.set_column(place, field, made)
    return table
