"""Stored spans as ``ExportTraceServiceRequest`` (opentelemetry-proto, trace.proto)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.otlp_bytes.grouping import Columns, items_of, request, resources, scopes
from spanglass_server.query.otlp_bytes.values import Attributes
from spanglass_server.query.otlp_bytes.wire import (
    FIXED32,
    FIXED64,
    VARINT,
    block,
    blocks,
    fixed,
    joined,
    numbers,
    rows_of,
    tag,
    varint,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_BYTES_COLUMNS = {"trace_id": 1, "span_id": 2, "trace_state": 3, "parent_span_id": 4, "name": 5}
_NUMBER_COLUMNS = {
    "kind": 6,
    "dropped_attributes_count": 10,
    "dropped_events_count": 12,
    "dropped_links_count": 14,
}


def spans_request(table: pa.Table) -> bytes:
    """Write the spans of a table, with their stored columns."""
    columns, attributes = Columns(table), Attributes(table)
    parts = [
        *(blocks(field, found) for name, field in _BYTES_COLUMNS.items() if (found := columns.get(name)) is not None),
        *(numbers(field, found) for name, field in _NUMBER_COLUMNS.items() if (found := columns.get(name)) is not None),
        *_times(columns),
        *attributes.of_records("span", 9),
        *_status(columns),
        *items_of(table, "event", "event_time_ns", _events),
        *items_of(table, "link", "link_trace_id", _links),
    ]
    if (flags := columns.get("flags")) is not None:
        parts.append(fixed(16, flags, FIXED32))
    written = blocks(2, joined(parts, columns.rows))
    return request(resources(table, attributes), scopes(table, attributes), written)


def _times(columns: Columns) -> list[pa.Array]:
    start, duration = columns.get("start_time_ns"), columns.get("duration_ns")
    end = start if duration is None else pc.add(start, pc.fill_null(duration, 0))
    back = columns.get("end_before_start_ns")
    if back is not None:
        end = pc.subtract(end, pc.fill_null(back, 0))
    return [fixed(7, start), fixed(8, end)]


def _status(columns: Columns) -> list[pa.Array]:
    message, code = columns.get("status_message"), columns.get("status_code")
    parts = [] if message is None else [blocks(2, message)]
    parts += [] if code is None else [numbers(3, code)]
    if not parts:
        return []
    status = joined(parts, columns.rows)
    return [blocks(15, pc.if_else(pc.equal(pc.binary_length(status), 0), pa.scalar(None, pa.binary()), status))]


def _lists(table: pa.Table, *names: str) -> list[list[Any]]:
    """List columns as Python's; one that is not there is null in every row."""
    nothing: list[Any] = [None] * table.num_rows
    return [table[name].to_pylist() if name in table.column_names else nothing for name in names]


def _events(table: pa.Table, attributes: Attributes) -> pa.Array:
    held = attributes.of_items("event", 3)
    columns = _lists(table, "event_time_ns", "event_name", "event_dropped_attributes_count")
    written: list[bytes | None] = []
    for row, (times, names, dropped) in enumerate(zip(*columns, strict=True)):
        events = [
            block(
                11,
                tag(1, FIXED64)
                + struct.pack("<q", time)
                + _text(2, names, index)
                + held.get((row, index), b"")
                + _number(4, dropped, index),
            )
            for index, time in enumerate(times or ())
        ]
        written.append(b"".join(events) if events else None)
    return rows_of(written)


def _links(table: pa.Table, attributes: Attributes) -> pa.Array:
    held = attributes.of_items("link", 4)
    names = ("link_trace_id", "link_span_id", "link_trace_state", "link_dropped_attributes_count", "link_flags")
    columns = _lists(table, *names)
    written: list[bytes | None] = []
    for row, (traces, spans, states, dropped, flags) in enumerate(zip(*columns, strict=True)):
        links = [
            block(
                13,
                _text(1, traces, index)
                + _text(2, spans, index)
                + _text(3, states, index)
                + held.get((row, index), b"")
                + _number(5, dropped, index)
                + (tag(6, FIXED32) + struct.pack("<I", flag) if (flag := _at(flags, index)) else b""),
            )
            for index in range(len(traces or ()))
        ]
        written.append(b"".join(links) if links else None)
    return rows_of(written)


def _at(values: Sequence[Any] | None, index: int) -> Any:
    return values[index] if values else None


def _text(field: int, values: Sequence[Any] | None, index: int) -> bytes:
    value = _at(values, index)
    if not value:
        return b""
    return block(field, value.encode() if isinstance(value, str) else value)


def _number(field: int, values: Sequence[Any] | None, index: int) -> bytes:
    value = _at(values, index)
    return tag(field, VARINT) + varint(value) if value else b""
