"""Stored log records as ``ExportLogsServiceRequest`` (opentelemetry-proto, logs.proto)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.overflow import value_of_text
from spanglass_server.query.otlp_bytes.grouping import Columns, Records, resources, scopes
from spanglass_server.query.otlp_bytes.repeating import scattered
from spanglass_server.query.otlp_bytes.values import Attributes, value_bytes
from spanglass_server.query.otlp_bytes.wire import FIXED32, Messages, block, blocks, fixed, numbers, rows_of
from spanglass_server.signals import ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator

_EMPTY = "empty"  # the type of a body that was not sent


def log_records(table: pa.Table) -> Iterator[Records]:
    """Write the log records of a table, with their stored columns."""
    columns, attributes = Columns(table), Attributes.of_rows(table)
    parts = [
        *columns.each(blocks, severity_text=3, trace_id=9, span_id=10, event_name=12),
        *_times(columns),
        *_body(columns),
        *attributes.at("log", 6),
        *columns.each(numbers, severity_number=2, dropped_attributes_count=7),
        *columns.each(partial(fixed, kind=FIXED32), flags=8),
    ]
    messages = Messages(parts, columns.rows).as_fields(2)
    yield Records(resources(table, attributes), scopes(table, attributes), messages)


def _times(columns: Columns) -> list[pa.Array]:
    sent, is_observed = columns.get("time_ns"), columns.get("time_is_observed")
    if is_observed is not None:
        sent = pc.if_else(pc.fill_null(is_observed, fill_value=False), pa.scalar(None, pa.int64()), sent)
    return [fixed(1, sent), *columns.each(fixed, observed_time_ns=11)]


def _body(columns: Columns) -> list[pa.Array]:
    """Texts by columns; bodies of other types one by one."""
    body, kind = columns.get("body"), columns.get("body_type")
    if body is None:
        return []
    texts = body if pa.types.is_dictionary(body.type) else body.dictionary_encode()
    is_text = texts.is_valid() if kind is None else pc.and_(texts.is_valid(), kind.is_null())
    chosen = pc.if_else(is_text, texts.indices, pa.scalar(None, texts.indices.type))
    parts = [pa.DictionaryArray.from_arrays(chosen, blocks(5, blocks(1, texts.dictionary)))]
    if kind is not None:
        others = np.flatnonzero(kind.is_valid().to_numpy(zero_copy_only=False))
        pairs = zip(texts.take(pa.array(others)).to_pylist(), kind.take(pa.array(others)).to_pylist(), strict=True)
        parts.append(scattered(rows_of([_other(*each) for each in pairs]), others, columns.rows))
    return parts


def _other(text: str | None, kind: str) -> bytes | None:
    if kind == _EMPTY or text is None:
        return None
    stored = ValueType(kind)
    return block(5, value_bytes(stored, value_of_text(stored, text)))
