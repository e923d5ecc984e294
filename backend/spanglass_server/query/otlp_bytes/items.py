"""Events, links and exemplars: lists of rows as one column of items, written at once, and put together by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.overflow import overflow_entries
from spanglass_server.query.otlp_bytes.grouping import Columns
from spanglass_server.query.otlp_bytes.repeating import scattered
from spanglass_server.query.otlp_bytes.values import Attributes
from spanglass_server.query.otlp_bytes.wire import blocks, joined, whole
from spanglass_server.signals import OVERFLOW_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable


def items_of(
    table: pa.Table, field: int, position: str, name: str, write: Callable[[Columns, Attributes], list[pa.Array]]
) -> list[pa.Array]:
    """Fields with the events, links or exemplars of rows, written of those that have some.

    The column ``name`` says how many a row has; ``write`` makes the fields of an item out of columns of all items.
    """
    place = table.schema.get_field_index(name)
    if place < 0:
        return []
    counts = _counts(whole(table.column(place)))
    rows = np.flatnonzero(counts)
    if not len(rows):
        return []
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts[rows])])
    told = (f"{position}.", f"{position}_", *OVERFLOW_COLUMNS)
    few = table.select([each for each in table.column_names if each.startswith(told)]).take(pa.array(rows))
    items = pa.table(
        {
            each: _flat(each, whole(few.column(each)), counts[rows])
            for each in few.column_names
            if each not in OVERFLOW_COLUMNS
        }
    )
    overflow = [
        (int(starts[row]) + index, attribute, value)
        for row, index, attribute, value in overflow_entries(few)
        if attribute.position == position
    ]
    parts = write(Columns(items), Attributes(items, overflow))
    return [scattered(_by_row(blocks(field, joined(parts, items.num_rows)), starts), rows, table.num_rows)]


def _counts(lists: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False))


def _flat(name: str, lists: pa.Array, counts: np.ndarray) -> pa.Array:
    """What lists hold, one after the other; null for each item of a row that lacks the list."""
    values, own = lists.flatten(), _counts(lists)
    if np.array_equal(own, counts):
        return values
    is_there = own > 0
    if not np.array_equal(own[is_there], counts[is_there]):
        raise ValueError(f"in some rows the list of {name!r} is shorter or longer than those beside it")
    places = np.full(counts.sum(), -1, np.int64)
    places[np.repeat(is_there, counts)] = np.arange(len(values))
    return values.take(pa.array(places, mask=places < 0))


def _by_row(items: pa.Array, starts: np.ndarray) -> pa.Array:
    """Items put together: those from one start to the next."""
    _, places, content = items.buffers()
    edges = np.frombuffer(places, np.int32, len(items) + 1)[starts]
    return pa.BinaryArray.from_buffers(pa.binary(), len(starts) - 1, [None, pa.py_buffer(edges), content])
