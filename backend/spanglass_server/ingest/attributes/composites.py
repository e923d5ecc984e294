"""The few attribute values that are not scalars: arrays and maps of OTLP's ``AnyValue`` as readable, lossless JSON.

Plain JSON, with three escapes: bytes are ``{"$bytes": base64}``, non-finite doubles ``{"$double": "NaN"}``, and a
map key that begins with ``$`` is written with one more. Doubles keep a point or an exponent; an empty value is null.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import orjson
import pyarrow as pa
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from spanglass_server.ingest.protobuf.otlp_schema import ANY_VALUE

_SCALARS = ("string_value", "bool_value", "int_value", "double_value", "bytes_value")


def to_plain(value: AnyValue) -> Any:
    """An ``AnyValue`` as plain Python data with the escapes above."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [to_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _map(value.kvlist_value)
    if kind == "bytes_value":
        return {"$bytes": base64.b64encode(value.bytes_value).decode("ascii")}
    if kind == "double_value" and not math.isfinite(value.double_value):
        return {"$double": str(value.double_value).replace("inf", "Infinity").replace("nan", "NaN")}
    if kind is None or kind == "string_value_strindex":  # an index into a dictionary that only profiles carry
        return None
    return getattr(value, kind)


def _escaped(key: str) -> str:
    return "$" + key if key.startswith("$") else key


def _map(entries: KeyValueList) -> dict[str, Any]:
    return {_escaped(entry.key): to_plain(entry.value) for entry in entries.values}


def to_plain_entries(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """A list of key-value rows, as the Arrow handlers give them, as a plain map."""
    values = ANY_VALUE.list_to_record_batch([entry["value"] for entry in entries]).to_pylist()
    return {_escaped(entry["key"]): _plain_row(value) for entry, value in zip(entries, values, strict=True)}


def _plain_row(row: dict[str, Any]) -> Any:
    for member in ("array_value", "kvlist_value"):
        if row.get(member) is not None:
            return _composite(row[member], is_map=member == "kvlist_value")
    return to_plain(AnyValue(**{name: row[name] for name in _SCALARS if row.get(name) is not None}))


def _composite(body: bytes, *, is_map: bool) -> Any:
    """An encoded ``ArrayValue`` or ``KeyValueList`` as plain data."""
    try:
        if is_map:
            return _map(KeyValueList.FromString(body))
        return [to_plain(item) for item in ArrayValue.FromString(body).values]
    except DecodeError:
        return _undecoded(body)


def _undecoded(body: bytes) -> dict[str, str]:
    return {"$undecoded": base64.b64encode(body).decode("ascii")}


def composite_json(values: Any, *, is_map: bool, max_bytes: int) -> Any:
    """Encoded ``ArrayValue`` or ``KeyValueList`` messages (a binary array) as JSON text, each distinct one once.

    One that protobuf refuses (more than 100 levels, invalid text) or that is longer than ``max_bytes`` is kept as
    ``{"$undecoded": base64}``: 10 MB of empty values would unfold to half a gigabyte.
    """
    encoded = values.dictionary_encode()
    texts = [
        orjson.dumps(_undecoded(body) if len(body) > max_bytes else _composite(body, is_map=is_map)).decode()
        for body in encoded.dictionary.to_pylist()
    ]
    return pa.array(texts, type=pa.string()).take(encoded.indices)
