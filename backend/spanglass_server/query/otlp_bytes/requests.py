"""Requests of about a few megabytes out of tables of stored records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.otlp_bytes.logs import logs_request
from spanglass_server.query.otlp_bytes.metrics import metrics_request
from spanglass_server.query.otlp_bytes.spans import spans_request
from spanglass_server.query.rows.slices import slices
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

#: Of one request: the bytes are those of its values. A server takes 64 MB unless it is told otherwise.
_ROWS, _BYTES = 8_192, 16 << 20
WRITERS: Mapping[Signal, Callable[[pa.Table], bytes]] = {
    Signal.SPANS: spans_request,
    Signal.LOGS: logs_request,
    Signal.METRICS: metrics_request,
}


def requests_of(signal: Signal, table: pa.Table) -> Iterator[tuple[bytes, int]]:
    """Yield requests that together have all records of a table of stored columns, and how many each has."""
    for piece in slices(table, _ROWS, _BYTES):
        yield WRITERS[signal](piece), piece.num_rows
