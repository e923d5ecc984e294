"""Attribute values and numbers as label values, as Go and Prometheus write them."""

from __future__ import annotations

import base64
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.signals import ValueType

if TYPE_CHECKING:
    from collections.abc import Callable

#: From and below which Go writes a double with an exponent (pcommon's ``AsString``, as JSON does).
_LARGE, _SMALL = 1e21, 1e-6
#: Keys under which stored JSON writes what JSON has no value for.
_MARKS = ("$bytes", "$double")


def plain_float(value: float) -> str:
    """A number without exponent and with as few digits as tell it, as in ``le`` and ``quantile``."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return format(Decimal(repr(float(value))), "f").removesuffix(".0")


def _double(value: float) -> str:
    if not math.isfinite(value) or value == 0 or _SMALL <= abs(value) < _LARGE:
        return plain_float(value)
    mantissa, _, exponent = repr(float(value)).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def _json(text: str) -> str:
    """A map or list as JSON with sorted keys; an empty value is no label."""
    value = orjson.loads(text)
    return "" if value is None else orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS).decode()


def _plain(value: Any) -> Any:
    """Take back the marks of stored JSON: bytes become base64, keys lose the ``$`` that was put before theirs."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        for mark in _MARKS:
            if mark in value:
                return value[mark]
    return {key[1:] if key.startswith("$$") else key: _plain(item) for key, item in value.items()}


TEXT_OF: dict[ValueType, Callable[[Any], str]] = {
    ValueType.STR: str,
    ValueType.INT: str,
    ValueType.DOUBLE: _double,
    ValueType.BOOL: lambda value: "true" if value else "false",
    ValueType.JSON: _json,
    ValueType.BYTES: lambda value: base64.b64encode(value).decode(),
}
