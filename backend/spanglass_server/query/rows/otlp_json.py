"""Stored rows as OTLP/JSON, without loss: ``TracesData``, ``LogsData`` and ``MetricsData`` (opentelemetry-proto).

Ids are hex and 64-bit integers strings, as the protocol's JSON encoding says; fields that are empty are left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.query.rows.otlp_values import key_values
from spanglass_server.query.rows.stored_rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from spanglass_server.query.rows.answers import TracesData

Json = dict[str, Any]


def filled(**fields: Any) -> Json:
    """Make a message with its fields that are neither null, nor empty, nor zero: those that protobuf sends."""
    return {name: value for name, value in fields.items() if not _is_default(value)}


def _is_default(value: Any) -> bool:
    """Whether protobuf leaves a field with this value out; -0.0 equals zero but has other bits, so it is sent."""
    if value is None or value in ("", [], {}, "0"):
        return True
    return bool(value == 0 and math.copysign(1, value) > 0)


def grouped(rows: Rows, group_name: str, records_name: str, record: Callable[[Rows, int], Json]) -> list[Json]:
    """Put records below their scopes below their resources, in the order in which they come up."""
    resources: dict[bytes, Json] = {}
    scopes: dict[bytes, Json] = {}
    for row in range(rows.count):
        resource, scope = _resource(rows, row), _scope(rows, row)
        resource_key = orjson.dumps(resource)
        scope_key = resource_key + orjson.dumps(scope)
        of_resource = resources.setdefault(resource_key, {**resource, group_name: []})
        if scope_key not in scopes:
            scopes[scope_key] = {**scope, records_name: []}
            of_resource[group_name].append(scopes[scope_key])
        scopes[scope_key][records_name].append(record(rows, row))
    return list(resources.values())


def _resource(rows: Rows, row: int) -> Json:
    refs = rows.value("resource_entity_refs", row)
    resource = filled(
        attributes=key_values(rows.attributes.of_record("resource", row)),
        droppedAttributesCount=rows.value("resource_dropped_attributes_count", row),
        entityRefs=orjson.loads(refs) if refs else None,
    )
    return {"resource": resource, **filled(schemaUrl=rows.value("resource_schema_url", row))}


def _scope(rows: Rows, row: int) -> Json:
    scope = filled(
        name=rows.value("scope_name", row),
        version=rows.value("scope_version", row),
        attributes=key_values(rows.attributes.of_record("scope", row)),
        droppedAttributesCount=rows.value("scope_dropped_attributes_count", row),
    )
    return {"scope": scope, **filled(schemaUrl=rows.value("scope_schema_url", row))}


def hex_id(value: bytes | None) -> str | None:
    """Make an id in hex."""
    return None if value is None else value.hex()


def traces_data(table: pa.Table) -> TracesData:
    """Write stored spans as ``TracesData``."""
    return {"resourceSpans": grouped(Rows(table), "scopeSpans", "spans", _span)}


def _span(rows: Rows, row: int) -> Json:
    start_ns = rows.value("start_time_ns", row)
    end_ns = start_ns + rows.value("duration_ns", row) - (rows.value("end_before_start_ns", row) or 0)
    status = filled(code=rows.value("status_code", row), message=rows.value("status_message", row))
    return filled(
        traceId=hex_id(rows.value("trace_id", row)),
        spanId=hex_id(rows.value("span_id", row)),
        parentSpanId=hex_id(rows.value("parent_span_id", row)),
        traceState=rows.value("trace_state", row),
        flags=rows.value("flags", row),
        name=rows.value("name", row),
        kind=rows.value("kind", row),
        startTimeUnixNano=str(start_ns),
        endTimeUnixNano=str(end_ns),
        attributes=key_values(rows.attributes.of_record("span", row)),
        droppedAttributesCount=rows.value("dropped_attributes_count", row),
        events=[_event(rows, row, index) for index in range(len(rows.items("event_time_ns", row)))],
        droppedEventsCount=rows.value("dropped_events_count", row),
        links=[_link(rows, row, index) for index in range(len(rows.items("link_trace_id", row)))],
        droppedLinksCount=rows.value("dropped_links_count", row),
        status=status,
    )


def _event(rows: Rows, row: int, index: int) -> Json:
    return filled(
        timeUnixNano=str(rows.item("event_time_ns", row, index)),
        name=rows.item("event_name", row, index),
        attributes=key_values(rows.attributes.of_item("event", row, index)),
        droppedAttributesCount=rows.item("event_dropped_attributes_count", row, index),
    )


def _link(rows: Rows, row: int, index: int) -> Json:
    return filled(
        traceId=hex_id(rows.item("link_trace_id", row, index)),
        spanId=hex_id(rows.item("link_span_id", row, index)),
        traceState=rows.item("link_trace_state", row, index),
        attributes=key_values(rows.attributes.of_item("link", row, index)),
        droppedAttributesCount=rows.item("link_dropped_attributes_count", row, index),
        flags=rows.item("link_flags", row, index),
    )
