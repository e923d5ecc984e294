"""Stored log records as ``ExportLogsServiceRequest`` (opentelemetry-proto, logs.proto)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.overflow import value_of_text
from spanglass_server.query.otlp_bytes.grouping import Columns, request, resources, scopes
from spanglass_server.query.otlp_bytes.values import Attributes, value_bytes
from spanglass_server.query.otlp_bytes.wire import FIXED32, block, blocks, fixed, joined, numbers, rows_of
from spanglass_server.signals import ValueType

_BYTES_COLUMNS = {"severity_text": 3, "trace_id": 9, "span_id": 10, "event_name": 12}
_EMPTY = "empty"  # the type of a body that was not sent


def logs_request(table: pa.Table) -> bytes:
    """Write the log records of a table, with their stored columns."""
    columns, attributes = Columns(table), Attributes(table)
    parts = [
        *(blocks(field, found) for name, field in _BYTES_COLUMNS.items() if (found := columns.get(name)) is not None),
        *_times(columns),
        *_body(columns),
        *attributes.of_records("log", 6),
    ]
    for name, field in (("severity_number", 2), ("dropped_attributes_count", 7)):
        if (found := columns.get(name)) is not None:
            parts.append(numbers(field, found))
    if (flags := columns.get("flags")) is not None:
        parts.append(fixed(8, flags, FIXED32))
    written = blocks(2, joined(parts, columns.rows))
    return request(resources(table, attributes), scopes(table, attributes), written)


def _times(columns: Columns) -> list[pa.Array]:
    sent, is_observed = columns.get("time_ns"), columns.get("time_is_observed")
    if is_observed is not None:
        sent = pc.if_else(pc.fill_null(is_observed, fill_value=False), pa.scalar(None, pa.int64()), sent)
    observed = columns.get("observed_time_ns")
    return [fixed(1, sent)] + ([] if observed is None else [fixed(11, observed)])


def _body(columns: Columns) -> list[pa.Array]:
    """Texts by columns; bodies of other types one by one."""
    body, kind = columns.get("body"), columns.get("body_type")
    if body is None:
        return []
    texts = body.cast(pa.string())
    is_text = texts.is_valid() if kind is None else pc.and_(texts.is_valid(), kind.is_null())
    text = pc.if_else(is_text, blocks(1, texts), pa.scalar(None, pa.binary()))
    parts = [blocks(5, text)]
    if kind is not None:
        pairs = zip(texts.to_pylist(), kind.cast(pa.string()).to_pylist(), strict=True)
        parts.append(rows_of([_other(*each) for each in pairs]))
    return parts


def _other(text: str | None, kind: str | None) -> bytes | None:
    if kind is None or kind == _EMPTY or text is None:
        return None
    stored = ValueType(kind)
    return block(5, value_bytes(stored, value_of_text(stored, text)))
