"""Protobuf's wire format, as far as OTLP needs it: values and attributes straight to bytes.

Messages of the protobuf package cost five times as much: a Python object for each attribute, filled and read once.
https://protobuf.dev/programming-guides/encoding, opentelemetry/proto/common/v1/common.proto
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any

from spanglass.values import attribute_value

if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types

MAX_DEPTH = 24  # lists and maps in one another: each takes up to 3 of the 100 messages that parsers go down
_CUT = "…"

_UINT64 = 2**64 - 1
_LEAST_INT64, _MOST_INT64 = -(2**63), 2**63 - 1
_MAX_DIGITS_BITS = 4096  # Python refuses to write numbers of more than 4300 digits, not bits; their text is hexadecimal

_double = struct.Struct("<d").pack


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - 7 bits a byte
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


_SHORT = tuple(map(_varint, range(2048)))  # lengths of nearly all that is in a span, and of most spans


def varint(number: int) -> bytes:
    """Encode a number from 0 to 2**64 - 1."""
    return _SHORT[number] if number < 2048 else _varint(number)  # noqa: PLR2004 - as above


def tag(field: int, wire: int) -> bytes:
    """Encode what precedes each field: its number and wire type."""
    return varint(field << 3 | wire)


def block(body: bytes) -> bytes:
    """Encode a message, text or bytes, without tag: length and content."""
    return varint(len(body)) + body


def text(value: object) -> bytes:
    r"""Encode text as UTF-8; a lone surrogate becomes ``\udc80``. None is empty, other objects are their ``str``."""
    if not isinstance(value, str):
        value = "" if value is None else str(value)
    try:
        return value.encode()
    except UnicodeEncodeError:
        return value.encode(errors="backslashreplace")


def counter(tag: bytes, number: int) -> bytes:
    """Encode a uint32 field, nothing for 0; a number that is out of range as the greatest."""
    return tag + varint(min(number, 2**32 - 1)) if number > 0 else b""


def moment(unix_ns: float | None) -> int:
    """Return what may stand in a fixed64 for a time in ns: None is 0, a float is cut, the range kept."""
    return 0 if unix_ns is None else min(max(int(unix_ns), 0), _UINT64)


def _string(value: object) -> bytes:
    return b"\x0a" + block(text(value))


def _bool(value: object) -> bytes:
    return b"\x10\x01" if value else b"\x10\x00"


def _whole(value: int) -> bytes:
    if _LEAST_INT64 <= value <= _MOST_INT64:  # a range would be searched number by number for an IntEnum
        return b"\x18" + varint(value & _UINT64)
    return _string(hex(value) if value.bit_length() > _MAX_DIGITS_BITS else str(value))  # as OpenTelemetry has it


# Fields of AnyValue; an order for subclasses: the first that fits.
_SCALARS: dict[type, Callable[[Any], bytes]] = {
    str: _string,
    bool: _bool,
    int: _whole,
    float: lambda value: b"\x21" + _double(value),
    bytes: lambda value: b"\x3a" + block(value),
    NoneType: lambda _: b"",
}


def any_value(value: object, depth: int = MAX_DEPTH) -> bytes:
    """Encode an AnyValue message, without length.

    Whole numbers of more than 64 bits become text; what OTLP has no value for what ``attribute_value`` makes of it.
    What is inside more than ``depth`` structures is left out for an ellipsis: a server refuses the whole body else.
    """
    scalar = _SCALARS.get(type(value))
    return scalar(value) if scalar is not None else _other(value, depth)


def _other(value: object, depth: int) -> bytes:
    for kind, scalar in _SCALARS.items():
        if isinstance(value, kind):
            return scalar(value)
    if not isinstance(value, Sequence | Mapping):
        return any_value(attribute_value(value), depth)
    if not depth:
        return _string(_CUT)
    if isinstance(value, Sequence):
        return b"\x2a" + block(b"".join(b"\x0a" + block(any_value(item, depth - 1)) for item in value))
    return b"\x32" + block(b"".join(b"\x0a" + key_value(key, item, depth - 1) for key, item in value.items()))


def key_value(key: object, value: object, depth: int = MAX_DEPTH) -> bytes:
    """Encode a KeyValue message, with its length, without a tag."""
    return block(b"\x0a" + block(text(key)) + b"\x12" + block(any_value(value, depth)))


def items_of(attributes: Mapping[str, object]) -> ItemsView[str, object]:
    """Return a mapping's items as those of a plain dict: OpenTelemetry's own is locked and copied at each look."""
    try:
        copied = attributes.copy()  # type: ignore[attr-defined]  # of dicts, their proxies, and OpenTelemetry's own
    except AttributeError:
        copied = None
    return (copied if type(copied) is dict else dict(attributes)).items()
