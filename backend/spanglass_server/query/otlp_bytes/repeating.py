"""Rows that are equal in some columns, and rows that have something: what repeats, or is rare, is written once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence


class Alike(NamedTuple):
    """Which row is the first of each kind, and of which kind each row is; kinds in the order of their first rows."""

    first: pa.Array
    kinds: pa.Array


def rows_alike(columns: Sequence[pa.Array], rows: int) -> Alike:
    """Tell rows apart by columns; without any, all are of one kind."""
    kinds, number = np.zeros(rows, np.int64), min(rows, 1)
    for column in columns:
        kinds, number = _told_apart(kinds, column)
    first = np.empty(number, np.int64)
    first[kinds[::-1]] = np.arange(rows)[::-1]  # of several values for one place the last stays
    return Alike(pa.array(first), pa.array(kinds))


def _told_apart(kinds: np.ndarray, column: pa.Array) -> tuple[np.ndarray, int]:
    """Kinds of rows, told apart by one more column, and how many there are."""
    if pa.types.is_floating(column.type):
        column = column.view(pa.int64())  # by its bits: zero and minus zero are equal
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    size = len(coded.dictionary) + 1
    codes = coded.indices.cast(pa.int64()).fill_null(size - 1).to_numpy(zero_copy_only=False)
    found = pa.array(kinds * size + codes).dictionary_encode()
    return found.indices.to_numpy().astype(np.int64), len(found.dictionary)


def scattered(written: pa.Array, rows: np.ndarray, number: int) -> pa.Array:
    """What was written of some of so many rows, at its row; null in the others."""
    places = np.full(number, -1, np.int64)
    places[rows] = np.arange(len(rows))
    return written.take(pa.array(places, mask=places < 0))
