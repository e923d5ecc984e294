"""Stored data points as ``ExportMetricsServiceRequest`` (opentelemetry-proto, metrics.proto)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.otlp_bytes.grouping import Columns, grouped, items_of, resources, scopes
from spanglass_server.query.otlp_bytes.values import Attributes, any_bytes, pair
from spanglass_server.query.otlp_bytes.wire import (
    FIXED64,
    VARINT,
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
    from collections.abc import Callable, Sequence

_UNSIGNED_64 = 1 << 64


class _Type(NamedTuple):
    """A type of metrics: the field of its data, and of points those of attributes, flags and exemplars."""

    data: int
    attributes: int
    flags: int
    exemplars: int
    fields: Callable[[Columns], list[pa.Array]]


def metrics_request(table: pa.Table) -> bytes:
    """Write the data points of a table, with their stored columns."""
    kinds = table["metric_type"]
    # requests one after the other are one request
    return b"".join(
        [_of_type(table.filter(pc.equal(kinds, kind)), _TYPES[kind]) for kind in pc.unique(kinds).to_pylist()]
    )


def _of_type(table: pa.Table, kind: _Type) -> bytes:
    columns, attributes = Columns(table), Attributes(table)
    parts = [fixed(3, columns.get("time_ns")), *kind.fields(columns), *attributes.of_records("point", kind.attributes)]
    if (start := columns.get("start_time_ns")) is not None:
        parts.append(fixed(2, start))
    if (flags := columns.get("flags")) is not None:
        parts.append(numbers(kind.flags, flags))
    parts += items_of(table, "exemplar", "exemplar_time_ns", lambda few, its: _exemplars(few, its, kind.exemplars))
    points = blocks(1, joined(parts, columns.rows))
    heads, tails = _heads(columns), _tails(columns)
    # the tail stands behind the points, within the data; so both are kept apart in what groups are made by
    both = joined([blocks(1, heads), blocks(2, tails)], columns.rows)

    def make(head_and_tail: bytes, content: bytes) -> bytes:
        head, tail = _apart(head_and_tail)
        return block(2, head + block(kind.data, content + tail))

    return grouped(resources(table, attributes), scopes(table, attributes), both, points, make)


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
    named = {"metric_name": 1, "metric_description": 2, "metric_unit": 3}
    parts = [blocks(field, found) for name, field in named.items() if (found := columns.get(name)) is not None]
    if (metadata := columns.get("metric_metadata")) is not None:
        parts.append(coded(metadata, _metadata))
    return joined(parts, columns.rows)


def _metadata(text: str) -> bytes:
    entries = from_plain(orjson.loads(text))["kvlistValue"]["values"]
    return b"".join([pair(12, entry["key"], any_bytes(entry["value"])) for entry in entries])


def _tails(columns: Columns) -> pa.Array:
    parts = []
    if (temporality := columns.get("temporality")) is not None:
        parts.append(numbers(2, temporality))
    if (monotonic := columns.get("is_monotonic")) is not None:
        parts.append(coded(monotonic, lambda value: tag(3, VARINT) + b"\1" if value else b""))
    return joined(parts, columns.rows)


def _some(columns: Columns, **fields: int) -> list[pa.Array]:
    """Fields of eight bytes, of those columns that are there."""
    return [fixed(field, found) for name, field in fields.items() if (found := columns.get(name)) is not None]


def _lists(columns: Columns, **fields: int) -> list[pa.Array]:
    return [packed(field, found) for name, field in fields.items() if (found := columns.get(name)) is not None]


def _numbers(columns: Columns) -> list[pa.Array]:
    return _some(columns, value_double=4, value_int=6)


def _histogram(columns: Columns) -> list[pa.Array]:
    return [
        *_some(columns, count=4, sum=5, min=11, max=12),
        *_lists(columns, bucket_counts=6, explicit_bounds=7),
    ]


def _exponential(columns: Columns) -> list[pa.Array]:
    parts = _some(columns, count=4, sum=5, zero_count=7, min=12, max=13, zero_threshold=14)
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
    parts = _some(columns, count=4, sum=5)
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


def _exemplars(table: pa.Table, attributes: Attributes, field: int) -> pa.Array:
    held = attributes.of_items("exemplar", 7)
    names = ("time_ns", "value_int", "value_double", "trace_id", "span_id")
    present = [f"exemplar_{name}" for name in names]
    nothing = [None] * table.num_rows
    columns = [table[name].to_pylist() if name in table.column_names else nothing for name in present]
    written: list[bytes | None] = []
    for row, (times, *rest) in enumerate(zip(*columns, strict=True)):
        exemplars = [
            block(
                field,
                _exemplar(time, [values[index] if values else None for values in rest]) + held.get((row, index), b""),
            )
            for index, time in enumerate(times or ())
        ]
        written.append(b"".join(exemplars) or None)
    return rows_of(written)


def _exemplar(time_ns: int, told: Sequence[Any]) -> bytes:
    whole_number, real, trace_id, span_id = told
    return b"".join(
        [
            tag(2, FIXED64) + struct.pack("<Q", time_ns % _UNSIGNED_64),
            _double(3, real) if real is not None else b"",
            tag(6, FIXED64) + struct.pack("<q", whole_number) if whole_number is not None else b"",
            block(4, span_id) if span_id else b"",
            block(5, trace_id) if trace_id else b"",
        ]
    )


_TYPES = {
    "gauge": _Type(5, 7, 8, 5, _numbers),
    "sum": _Type(7, 7, 8, 5, _numbers),
    "histogram": _Type(9, 9, 10, 8, _histogram),
    "exponential_histogram": _Type(10, 1, 10, 11, _exponential),
    "summary": _Type(11, 7, 8, 0, _summary),
}
#: What a data point may be of.
METRIC_TYPES = tuple(_TYPES)
