"""All rows of few traces out of kept columns, wherever these lie in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from spanglass_server.query.kept_columns.matching import batch_of_rows
from spanglass_server.query.structure.kept_filter import columns_of
from spanglass_server.query.structure.kept_relatives import own_rows, related_rows
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, LargeColumnsError, OfTraces

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from spanglass_server.query.structure.kept_filter import KeptFilter
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import QuerySession, Window

#: So much is kept for a trace that lies in a row group of its own. Where that would be half of the cache, SQL is asked:
#: for more than 128 traces by default.
_BYTES_A_TRACE = 1 << 20


class RowsOfTraces(NamedTuple):
    """All rows of some traces, the same as a batch, and the places of those that match."""

    table: pa.Table
    batch: Batch
    places: Places


def rows_of_traces(
    session: QuerySession, window: Window, wanted: KeptFilter, trace_ids: Collection[bytes], names: Collection[str]
) -> RowsOfTraces | None:
    """Read some columns of traces, and find which of their spans in a window a filter means; None if only SQL can."""
    if 2 * _BYTES_A_TRACE * len(trace_ids) > session.kept.max_bytes:
        return None
    try:
        columns = {*names, *columns_of(wanted)}
        table = session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces(trace_ids, columns=columns))
        batch = batch_of_rows(table)
        places = related_rows([batch], wanted, own_rows([batch], wanted, window), lambda _: ALL_TIME)
    except LargeColumnsError:
        return None
    return None if places is None else RowsOfTraces(table, batch, places[0])
