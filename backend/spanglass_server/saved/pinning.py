"""A trace as it is pinned: what it is called, how large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spanglass_server.query.one_trace.view import show_summary
from spanglass_server.saved.model import Pin
from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.ports import ALL_TIME, OfTraces
from spanglass_server.times import parse_time

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession

_NO_PARENT: Final = bytes(8)


def pin_of(session: QuerySession, trace_id: bytes, note: str, actor: str, now_ns: int) -> Pin:
    """Return the pin of a stored trace; BadQuestionError (not_found) when no span has the id."""
    head = show_summary(session, trace_id, now_ns)
    rows = {
        signal: session.trace_rows(signal, ALL_TIME, OfTraces([trace_id])) for signal in (Signal.SPANS, Signal.LOGS)
    }
    service, name = _root(rows[Signal.SPANS])
    return Pin(
        trace_id=trace_id,
        note=note,
        actor=actor,
        pinned_ns=now_ns,
        service=service,
        name=name,
        start_ns=parse_time(head["start_time"], now_ns),
        duration_ns=head["duration_ns"],
        spans=head["span_count"],
        errors=head["error_count"],
        bytes=sum(map(_size, rows.values())),
    )


def _root(spans: Any) -> tuple[str, str]:
    """Service and name of the first span without a parent, or of the first one of all; nothing while none has ended."""
    if not spans.num_rows:
        return "", ""
    if "parent_span_id" in spans.column_names:
        is_root = pc.fill_null(pc.equal(spans["parent_span_id"].cast(pa.binary()), _NO_PARENT), fill_value=True)
        spans = spans.filter(is_root) if pc.any(is_root).as_py() else spans
    at = pc.min_max(spans[TIME_COLUMN[Signal.SPANS]])["min"]
    first = spans.filter(pc.equal(spans[TIME_COLUMN[Signal.SPANS]], at)).slice(0, 1)
    service, name = (first[key][0].as_py() if key in first.column_names else None for key in (SERVICE, "name"))
    return service_name(service), name or ""


def _size(rows: Any) -> int:
    """How many bytes rows take as a file."""
    if not rows.num_rows:
        return 0
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd")
    return int(sink.tell())
