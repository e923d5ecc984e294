"""OTLP/JSON as the specification says, written from protobuf messages; and what makes two such documents equal."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import orjson
from google.protobuf.descriptor import FieldDescriptor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

Json = dict[str, Any]

_HEX = {"trace_id", "span_id", "parent_span_id"}
_64_BIT = {
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
}
_POINTS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


def official_json(message: Message) -> Json:
    """Write a message: hex ids, 64-bit integers as strings, enums as numbers, absent fields left out."""
    return {
        field.json_name: [_one(field, item) for item in value] if field.is_repeated else _one(field, value)
        for field, value in message.ListFields()
    }


def _one(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return official_json(value)
    if field.name in _HEX:
        return value.hex()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    if field.type in _64_BIT:
        return str(value)
    if field.type == FieldDescriptor.TYPE_DOUBLE and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def records(document: Json) -> list[str]:
    """Every record with all that it inherits, in no order: documents are equal if these are.

    The order of attributes and the grouping into equal resources, scopes and metrics mean nothing in OTLP; neither
    does whether a default value or an empty message was sent.
    """
    return sorted(orjson.dumps(_normal(record), option=orjson.OPT_SORT_KEYS).decode() for record in _records(document))


def _records(document: Json) -> Iterator[Json]:
    (levels,) = document.values() or ([],)
    for resource in levels:
        ((_, scopes),) = [(k, v) for k, v in resource.items() if k.startswith("scope")] or [("", [])]
        above = {k: v for k, v in resource.items() if not k.startswith("scope")}
        for scope in scopes:
            within = {"of_resource": above, **{k: v for k, v in scope.items() if k in ("scope", "schemaUrl")}}
            for name in ("spans", "logRecords"):
                yield from ({**within, "record": record} for record in scope.get(name, []))
            for metric in scope.get("metrics", []):
                yield from ({**within, **point} for point in _points(metric))


def _points(metric: Json) -> Iterator[Json]:
    of_metric = {k: v for k, v in metric.items() if k not in _POINTS}
    for member in _POINTS:
        data = metric.get(member, {})
        rest = {k: v for k, v in data.items() if k != "dataPoints"}
        yield from (
            {"metric": of_metric, "type": member, **rest, "record": point} for point in data.get("dataPoints", [])
        )


def _normal(value: Any, field: str = "") -> Any:
    if isinstance(value, list):
        attributes = field.lower().endswith("attributes") or field == "metadata"
        kind = "keyValue" if attributes or field == "kvlistValue.values" else field
        items = [_normal(item, kind) for item in value]
        return sorted(items, key=orjson.dumps) if attributes else items
    if isinstance(value, dict):
        if field == "keyValue":
            value = {"key": "", "value": {}, **value}
        path = "kvlistValue." if field == "kvlistValue" else ""
        fields = {name: _normal(item, path + name) for name, item in value.items()}
        return {name: item for name, item in fields.items() if not _is_default(name, item)}
    return value


def _is_default(name: str, value: Any) -> bool:
    if name.endswith("Value") or name in {"asInt", "asDouble", "sum", "min", "max", "key", "value"}:
        return False  # of a oneof or optional: being there means something
    return value in (None, "", [], {}, 0, "0")
