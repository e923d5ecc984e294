"""Stored data points as ``ExportMetricsServiceRequest`` (opentelemetry-proto, metrics.proto)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.otlp_bytes.grouping import Below, Columns, Records, once, resources, scopes
from spanglass_server.query.otlp_bytes.items import items_of
from spanglass_server.query.otlp_bytes.values import Attributes, any_bytes, pair
from spanglass_server.query.otlp_bytes.wire import (
    FIXED64,
    VARINT,
    Messages,
    block,
    blocks,
    coded,
    fixed,
    joined,
    numbers,
    packed,
    rows_of,
    tag,
    varint,
)
from spanglass_server.query.rows.otlp_values import from_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class _Type(NamedTuple):
    """A type of metrics: the field of its data, and of points those of attributes, flags and exemplars."""

    data: int
    attributes: int
    flags: int
    exemplars: int
    fields: Callable[[Columns], list[pa.Array]]


def point_records(table: pa.Table) -> Iterator[Records]:
    """The data points of a table, with their stored columns; each type of metrics by itself."""
    kinds = table["metric_type"]
    for kind in pc.unique(kinds).to_pylist():
        yield _of_type(table.filter(pc.equal(kinds, kind)), _TYPES[kind])


def _of_type(table: pa.Table, kind: _Type) -> Records:
    columns, attributes = Columns(table), Attributes.of_rows(table)
    parts = [
        *columns.each(fixed, time_ns=3),
        *kind.fields(columns),
        *attributes.at("point", kind.attributes),
        *columns.each(fixed, start_time_ns=2),
        *columns.each(numbers, flags=kind.flags),
        *items_of(table, kind.exemplars, "exemplar", "exemplar_time_ns", _exemplars),
    ]

    def make(head_and_tail: bytes, content: bytes) -> bytes:
        head, tail = _apart(head_and_tail)
        return block(2, head + block(kind.data, content + tail))

    messages = Messages(parts, columns.rows).as_fields(1)
    below = Below(once(table, ("metric_", "temporality", "is_monotonic"), _heads_and_tails), make)
    return Records(resources(table, attributes), scopes(table, attributes), messages, below)


def _heads_and_tails(table: pa.Table) -> pa.Array:
    """What stands before the points of a metric, and behind them within its data, as two fields."""
    columns = Columns(table)
    return joined([blocks(1, _heads(columns)), blocks(2, _tails(columns))], columns.rows)


def _apart(both: bytes) -> tuple[bytes, bytes]:
    """Two fields of bytes one after the other."""
    head, rest = _first(both)
    return head, _first(rest)[0]


def _first(content: bytes) -> tuple[bytes, bytes]:
    length = shift = 0
    place = 1
    while True:
        length |= (content[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if content[place - 1] < 0x80:  # noqa: PLR2004 - the last byte of a varint
            return content[place : place + length], content[place + length :]


def _heads(columns: Columns) -> pa.Array:
    parts = columns.each(blocks, metric_name=1, metric_description=2, metric_unit=3)
    if (metadata := columns.get("metric_metadata")) is not None:
        parts.append(coded(metadata, _metadata))
    return joined(parts, columns.rows)


def _metadata(text: str) -> bytes:
    entries = from_plain(orjson.loads(text))["kvlistValue"]["values"]
    return b"".join([pair(12, entry["key"], any_bytes(entry["value"])) for entry in entries])


def _tails(columns: Columns) -> pa.Array:
    parts = columns.each(numbers, temporality=2)
    if (monotonic := columns.get("is_monotonic")) is not None:
        parts.append(coded(monotonic, lambda value: tag(3, VARINT) + b"\1" if value else b""))
    return joined(parts, columns.rows)


def _numbers(columns: Columns) -> list[pa.Array]:
    return columns.each(fixed, value_double=4, value_int=6)


def _histogram(columns: Columns) -> list[pa.Array]:
    return [
        *columns.each(fixed, count=4, sum=5, min=11, max=12),
        *columns.each(packed, bucket_counts=6, explicit_bounds=7),
    ]


def _exponential(columns: Columns) -> list[pa.Array]:
    parts = columns.each(fixed, count=4, sum=5, zero_count=7, min=12, max=13, zero_threshold=14)
    if (scale := columns.get("scale")) is not None:
        parts.append(coded(scale, lambda value: _signed(6, value)))
    for field, side in ((8, "positive"), (9, "negative")):
        offsets, counts = columns.get(f"{side}_offset"), columns.get(f"{side}_counts")
        if offsets is not None or counts is not None:
            pairs = zip(_values(offsets, columns.rows), _values(counts, columns.rows), strict=True)
            parts.append(rows_of([_buckets(field, *each) for each in pairs]))
    return parts


def _values(column: pa.Array | None, rows: int) -> Sequence[Any]:
    return [None] * rows if column is None else column.to_pylist()


def _signed(field: int, value: int) -> bytes:
    """A ``sint32`` in zigzag; zero is left out."""
    return tag(field, VARINT) + varint(value * 2 if value >= 0 else -value * 2 - 1) if value else b""


def _buckets(field: int, offset: int | None, counts: Sequence[int] | None) -> bytes | None:
    content = _signed(1, offset or 0)
    if counts:
        content += block(2, b"".join(map(varint, counts)))
    return block(field, content) if content else None


def _summary(columns: Columns) -> list[pa.Array]:
    parts = columns.each(fixed, count=4, sum=5)
    quantiles, values = columns.get("quantiles"), columns.get("quantile_values")
    if quantiles is not None and values is not None:
        pairs = zip(quantiles.to_pylist(), values.to_pylist(), strict=True)
        parts.append(rows_of([_quantiles(*each) for each in pairs]))
    return parts


def _quantiles(quantiles: Sequence[float] | None, values: Sequence[float] | None) -> bytes | None:
    pairs = zip(quantiles or (), values or (), strict=True)
    return b"".join([block(6, _double(1, quantile) + _double(2, value)) for quantile, value in pairs]) or None


def _double(field: int, value: float) -> bytes:
    return tag(field, FIXED64) + struct.pack("<d", value)


def _exemplars(columns: Columns, attributes: Attributes) -> list[pa.Array]:
    parts = columns.each(fixed, exemplar_time_ns=2, exemplar_value_double=3, exemplar_value_int=6)
    return parts + columns.each(blocks, exemplar_span_id=4, exemplar_trace_id=5) + attributes.at("exemplar", 7)


_TYPES = {
    "gauge": _Type(5, 7, 8, 5, _numbers),
    "sum": _Type(7, 7, 8, 5, _numbers),
    "histogram": _Type(9, 9, 10, 8, _histogram),
    "exponential_histogram": _Type(10, 1, 10, 11, _exponential),
    "summary": _Type(11, 7, 8, 0, _summary),
}
#: What a data point may be of.
METRIC_TYPES = tuple(_TYPES)
