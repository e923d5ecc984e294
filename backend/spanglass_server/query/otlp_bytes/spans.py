"""Stored spans as ``ExportTraceServiceRequest`` (opentelemetry-proto, trace.proto)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.otlp_bytes.grouping import Columns, Records, resources, scopes
from spanglass_server.query.otlp_bytes.items import items_of
from spanglass_server.query.otlp_bytes.values import Attributes
from spanglass_server.query.otlp_bytes.wire import FIXED32, Messages, blocks, fixed, joined, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = partial(fixed, kind=FIXED32)


def span_records(table: pa.Table) -> Iterator[Records]:
    """Write the spans of a table, with their stored columns."""
    columns, attributes = Columns(table), Attributes.of_rows(table)
    parts = [
        *columns.each(blocks, trace_id=1, span_id=2, trace_state=3, parent_span_id=4, name=5),
        *columns.each(numbers, kind=6, dropped_attributes_count=10, dropped_events_count=12, dropped_links_count=14),
        *_times(columns),
        *attributes.at("span", 9),
        *_status(columns),
        *items_of(table, 11, "event", "event_time_ns", _events),
        *items_of(table, 13, "link", "link_trace_id", _links),
        *columns.each(_FLAGS, flags=16),
    ]
    messages = Messages(parts, columns.rows).as_fields(2)
    yield Records(resources(table, attributes), scopes(table, attributes), messages)


def _times(columns: Columns) -> list[pa.Array]:
    start, duration = columns.get("start_time_ns"), columns.get("duration_ns")
    end = start if duration is None else pc.add(start, pc.fill_null(duration, 0))
    back = columns.get("end_before_start_ns")
    if back is not None:
        end = pc.subtract(end, pc.fill_null(back, 0))
    return [fixed(7, start), fixed(8, end)]


def _status(columns: Columns) -> list[pa.Array]:
    parts = columns.each(blocks, status_message=2) + columns.each(numbers, status_code=3)
    if not parts:
        return []
    status = joined(parts, columns.rows)
    return [blocks(15, pc.if_else(pc.equal(pc.binary_length(status), 0), pa.scalar(None, pa.binary()), status))]


def _events(columns: Columns, attributes: Attributes) -> list[pa.Array]:
    parts = columns.each(fixed, event_time_ns=1) + columns.each(blocks, event_name=2)
    return parts + attributes.at("event", 3) + columns.each(numbers, event_dropped_attributes_count=4)


def _links(columns: Columns, attributes: Attributes) -> list[pa.Array]:
    parts = columns.each(blocks, link_trace_id=1, link_span_id=2, link_trace_state=3) + attributes.at("link", 4)
    return parts + columns.each(numbers, link_dropped_attributes_count=5) + columns.each(_FLAGS, link_flags=6)
