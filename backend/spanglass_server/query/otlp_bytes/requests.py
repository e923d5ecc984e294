"""Requests of about a few megabytes out of tables of stored records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.otlp_bytes.logs import log_records
from spanglass_server.query.otlp_bytes.metrics import point_records
from spanglass_server.query.otlp_bytes.spans import span_records
from spanglass_server.query.rows.slices import cuts, slices
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

    from spanglass_server.query.otlp_bytes.grouping import Records

#: Of one request. A server takes 64 MB unless it is told otherwise.
_ROWS, _BYTES = 8_192, 16 << 20
#: Of what is written at a time, so that what requests share is written once; cells take four bytes each. Its values
#: have the bytes of one request at most: large records are cut where requests end.
_ROWS_AT_ONCE, _CELLS_AT_ONCE = 65_536, 8 << 20
WRITERS: Mapping[Signal, Callable[[pa.Table], Iterator[Records]]] = {
    Signal.SPANS: span_records,
    Signal.LOGS: log_records,
    Signal.METRICS: point_records,
}


def requests_of(signal: Signal, table: pa.Table) -> Iterator[tuple[bytes, int]]:
    """Yield requests that together have all records of a table of stored columns, and how many each has."""
    rows = max(1, min(_ROWS_AT_ONCE, _CELLS_AT_ONCE // max(1, table.num_columns)))
    for piece in slices(table, rows, _BYTES):
        for records in WRITERS[signal](piece):
            for start, end in cuts(records.sizes, _ROWS, _BYTES):
                yield records.request(start, end), end - start
