"""The whole rows of a trace that was looked at lately.

A page of a trace asks for the same rows again and again: for its waterfall, for each span that is opened, for logs.
Reading them takes 5 ms of processor time for each row group that has some.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import OfTraces, Window

#: Rows of larger traces are read anew each time.
_MOST_ROWS = 2_000
#: What a column of a table takes besides its values.
_BYTES_A_COLUMN = 400


def kept_rows(
    kept: PartCache,
    part: tuple[str, int],
    wanted: OfTraces,
    windows: Sequence[Window],
    read: Callable[[OfTraces], Iterable[pa.Table]],
) -> Iterator[pa.Table]:
    """Yield the rows of traces in some windows of a part, with all columns; those of one trace are kept.

    ``read`` reads them from the part.
    """
    if len(wanted.trace_ids) != 1:
        yield from read(wanted)
        return
    key = ("rows of a trace", part, *wanted.trace_ids, *windows)
    tables = kept.get(key)
    if tables is None:
        whole = iter(read(replace(wanted, span_ids=())))
        tables = list(_at_most(whole))
        if sum(table.num_rows for table in tables) > _MOST_ROWS:
            yield from read(wanted) if wanted.span_ids else chain(tables, whole)
            return
        kept.put(key, tables, sum(map(_size_of, tables)) + _BYTES_A_COLUMN)
    for table in tables:
        rows = _of_spans(table, wanted)
        if rows.num_rows:
            yield rows


def _at_most(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables until there are more rows than are kept: a trace may be larger than memory."""
    rows = 0
    for table in tables:
        yield table
        rows += table.num_rows
        if rows > _MOST_ROWS:
            return


def _of_spans(rows: pa.Table, wanted: OfTraces) -> pa.Table:
    if not wanted.span_ids:
        return rows
    if "span_id" not in rows.column_names:
        return rows.slice(0, 0)
    return rows.filter(pc.is_in(rows["span_id"], value_set=pa.array(list(wanted.span_ids), pa.binary())))


def _size_of(table: pa.Table) -> int:
    values_bytes: int = table.get_total_buffer_size()
    columns: int = table.num_columns
    return values_bytes + _BYTES_A_COLUMN * columns
