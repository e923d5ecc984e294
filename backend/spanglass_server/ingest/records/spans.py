"""Spans: which may be stored, and their columns (opentelemetry-proto trace.proto)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.ingest.attributes.owners import Owners
from spanglass_server.ingest.columnar import Flat, flatten, null_if_empty, null_if_zero, numpy, wrap_lists
from spanglass_server.ingest.records.checks import (
    LATEST_NS,
    SPAN_ID_BYTES,
    TRACE_ID_BYTES,
    Checks,
    are_whole_ids,
    id_lengths,
    is_zero_id,
    valid_id,
)
from spanglass_server.ingest.records.envelope import Envelope, open_envelope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.shredder import AttributeShredder


def open_spans(batch: Any) -> Envelope:
    """The spans of a record batch of trace requests."""
    return open_envelope(batch, "scope_spans", "spans")


def check_spans(envelope: Envelope, checks: Checks) -> None:
    """Reject spans that can't be stored or found again."""
    spans = envelope.records.values
    if not len(spans) or _are_storable(spans, int(checks.latest_ns.min())):
        return
    trace_id, span_id, parent = spans.field("trace_id"), spans.field("span_id"), spans.field("parent_span_id")
    checks.reject(id_lengths(trace_id) != TRACE_ID_BYTES, "trace_id must have 16 bytes")
    checks.reject(is_zero_id(trace_id), "trace_id must not be all zeros")
    checks.reject(id_lengths(span_id) != SPAN_ID_BYTES, "span_id must have 8 bytes")
    checks.reject(is_zero_id(span_id), "span_id must not be all zeros")
    parent_lengths = id_lengths(parent)
    checks.reject(
        (parent_lengths != SPAN_ID_BYTES) & (parent_lengths != 0) & ~is_zero_id(parent),
        "parent_span_id must have 8 bytes or none",
    )
    checks.reject_future(numpy(spans.field("start_time_unix_nano")), "start_time_unix_nano")
    checks.reject_unstorable(numpy(spans.field("end_time_unix_nano")), "end_time_unix_nano")
    events = flatten(spans.field("events"))
    if len(events.parents):
        checks.reject_items(events, numpy(events.values.field("time_unix_nano")), "events.time_unix_nano")


def _are_storable(spans: Any, latest_ns: int) -> bool:
    """Whether nothing is wrong with any span, as nearly always: in half the steps that it takes to say what is."""
    parent_lengths = id_lengths(spans.field("parent_span_id"))
    events = flatten(spans.field("events")).values
    return bool(
        are_whole_ids(spans.field("trace_id"), TRACE_ID_BYTES)
        and are_whole_ids(spans.field("span_id"), SPAN_ID_BYTES)
        and ((parent_lengths == 0) | (parent_lengths == SPAN_ID_BYTES)).all()
        and int(numpy(spans.field("start_time_unix_nano")).max()) <= min(latest_ns, LATEST_NS - 1)
        and int(numpy(spans.field("end_time_unix_nano")).max()) < LATEST_NS
        and (not len(events) or int(numpy(events.field("time_unix_nano")).max()) < LATEST_NS)
    )


def span_columns(spans: Any, shredder: AttributeShredder) -> dict[str, Any]:
    """Columns of the spans themselves (a struct array), without their envelope."""
    start = numpy(spans.field("start_time_unix_nano")).astype(np.int64)
    end = numpy(spans.field("end_time_unix_nano")).astype(np.int64)
    status = spans.field("status")
    events, links = flatten(spans.field("events")), flatten(spans.field("links"))
    return {
        "trace_id": spans.field("trace_id"),
        "span_id": spans.field("span_id"),
        "parent_span_id": _parents(spans.field("parent_span_id")),
        "trace_state": null_if_empty(spans.field("trace_state")),
        "flags": spans.field("flags"),
        "name": shredder.cut(spans.field("name")),
        "kind": pa.array(numpy(spans.field("kind")).clip(0, 255), type=pa.uint8()),
        "start_time_ns": pa.array(start),
        "duration_ns": pa.array(np.maximum(end - start, 0)),
        "end_before_start_ns": _backwards(start, end),
        "status_code": pa.array(numpy(status.field("code").fill_null(0)).clip(0, 255), type=pa.uint8()),
        "status_message": null_if_empty(shredder.cut(status.field("message"))),
        "dropped_attributes_count": null_if_zero(spans.field("dropped_attributes_count")),
        "dropped_events_count": null_if_zero(spans.field("dropped_events_count")),
        "dropped_links_count": null_if_zero(spans.field("dropped_links_count")),
        **_event_columns(events, shredder),
        **_link_columns(links, shredder),
        **shredder.shred("span", spans.field("attributes")),
    }


def _parents(ids: Any) -> Any:
    """Ids of parents, null for none; some senders write none as zeros."""
    return valid_id(ids, SPAN_ID_BYTES) if is_zero_id(ids).any() else null_if_empty(ids)


def _backwards(start: NDArray[np.int64], end: NDArray[np.int64]) -> Any:
    """How far a span ended before it began, null for the others (protocol: it happens, duration is then 0)."""
    return pa.array(start - end, mask=end >= start)


def _event_columns(events: Flat, shredder: AttributeShredder) -> dict[str, Any]:
    if not len(events.parents):
        return {}
    values = events.values
    columns = {
        "event_time_ns": values.field("time_unix_nano").cast(pa.int64()),
        "event_name": shredder.cut(values.field("name")),
        "event_dropped_attributes_count": values.field("dropped_attributes_count"),
        **shredder.shred("event", values.field("attributes"), Owners.items(events)),
    }
    return {name: wrap_lists(column, events) for name, column in columns.items()}


def _link_columns(links: Flat, shredder: AttributeShredder) -> dict[str, Any]:
    if not len(links.parents):
        return {}
    values = links.values
    columns = {
        "link_trace_id": values.field("trace_id"),
        "link_span_id": values.field("span_id"),
        "link_trace_state": values.field("trace_state"),
        "link_flags": values.field("flags"),
        "link_dropped_attributes_count": values.field("dropped_attributes_count"),
        **shredder.shred("link", values.field("attributes"), Owners.items(links)),
    }
    return {name: wrap_lists(column, links) for name, column in columns.items()}
