"""Stored attribute values as OTLP/JSON ``AnyValue`` (opentelemetry-proto, common.proto; proto3 JSON mapping)."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.query.rows.map_leaves import ESCAPES, unescaped
from spanglass_server.signals import ValueType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Json = dict[str, Any]


def whole_number(number: int | None) -> str | None:
    """Write a 64-bit integer, which is text in the JSON of protobuf."""
    return None if number is None else str(number)


def key_values(entries: Iterable[tuple[str, ValueType, Any]]) -> list[Json]:
    """Attributes as a list of ``KeyValue``."""
    return [{"key": key, "value": any_value(kind, value)} for key, kind, value in entries]


def any_value(kind: ValueType, value: Any) -> Json:
    """One stored value as ``AnyValue``."""
    return _BY_KIND[kind](value)


def double(value: float) -> float | str:
    """Make a double: a JSON number, or the text that stands for one that JSON lacks."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _from_json(text: str) -> Json:
    try:
        return from_plain(orjson.loads(text))
    except orjson.JSONDecodeError:  # a text that was cut at the limit of value length is JSON no more
        return {"stringValue": text}


def from_plain(value: Any) -> Json:
    """Return a stored array or map, plain JSON, as ``AnyValue``; its escapes are described in ``ingest.values``."""
    match value:
        case None:
            return {}
        case list():
            return {"arrayValue": {"values": [from_plain(item) for item in value]}}
        case dict() if len(value) == 1 and (member := ESCAPES.get(next(iter(value)))):
            return {member: next(iter(value.values()))}
        case dict():
            entries = [{"key": unescaped(key), "value": from_plain(item)} for key, item in value.items()]
            return {"kvlistValue": {"values": entries}}
    return _BY_TYPE[type(value)](value)


_BY_KIND: dict[ValueType, Callable[[Any], Json]] = {
    ValueType.STR: lambda text: {"stringValue": text},
    ValueType.INT: lambda number: {"intValue": str(number)},
    ValueType.DOUBLE: lambda number: {"doubleValue": double(number)},
    ValueType.BOOL: lambda flag: {"boolValue": flag},
    ValueType.BYTES: lambda raw: {"bytesValue": base64.b64encode(raw).decode()},
    ValueType.JSON: _from_json,
}
_BY_TYPE: dict[type, Callable[[Any], Json]] = {
    str: _BY_KIND[ValueType.STR],
    int: _BY_KIND[ValueType.INT],
    float: _BY_KIND[ValueType.DOUBLE],
    bool: _BY_KIND[ValueType.BOOL],
}
