"""Scalars of OTLP/JSON: each reader takes a JSON value and returns its protobuf wire bytes, without the tag.

Rules of the proto3 JSON mapping with OTLP's exceptions (opentelemetry-proto, specification.md, "JSON Protobuf
Encoding"): ids are hex, 64-bit integers are strings or numbers, enums are numbers or names. A reader raises
``BadValue`` with what it expected; whoever calls it knows where in the document the value stood.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reader = Callable[[Any], bytes]

_INTEGER: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER: Final = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_SPECIAL_DOUBLES: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_SHOWN_CHARACTERS: Final = 40  # enough to recognise a value, too little to fill a log with it

_SMALL: Final = [bytes((number,)) for number in range(0x80)]
_U64_MASK: Final = (1 << 64) - 1
INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1
_PAST_64_BITS: Final = 1 << 64


class BadValue(ValueError):  # noqa: N818 - it becomes an OtlpJsonError as soon as its place is known
    """A JSON value that its field can't hold; ``reason`` says what was expected, ``path`` where it stands."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = ""

    def under(self, step: str | int) -> None:
        """Put the field name or list index that led here before the path."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        self.path = (f"[{step}]" if isinstance(step, int) else step) + dot + self.path


def varint(number: int) -> bytes:
    """Encode an unsigned number in base 128, least significant group first (protobuf's encoding guide)."""
    if number < 0x80:  # noqa: PLR2004 - one group of 7 bits
        return _SMALL[number]
    groups = bytearray()
    while number > 0x7F:  # noqa: PLR2004
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def delimited(payload: bytes) -> bytes:
    """Put a payload's length before it, as strings, bytes and messages stand on the wire."""
    size = len(payload)
    return (_SMALL[size] if size < 0x80 else varint(size)) + payload  # noqa: PLR2004 - one group of 7 bits


def shown(value: object) -> str:
    """Write a value for a message: as JSON when it is short, else by its kind."""
    if isinstance(value, (dict, list)) and value:
        return "an object" if isinstance(value, dict) else "a list"
    text = orjson.dumps(value).decode() if not isinstance(value, int) else str(value).lower()
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def string(value: Any) -> bytes:
    """Read a JSON string."""
    if type(value) is not str:
        raise BadValue(f"expected a string, got {shown(value)}")
    try:
        return delimited(value.encode())
    except UnicodeEncodeError:  # half a surrogate pair, which the usual JSON parser refuses by itself
        raise BadValue("expected Unicode text, got half of a surrogate pair") from None


def boolean(value: Any) -> bytes:
    """Read true or false."""
    if value is True:
        return b"\x01"
    if value is False:
        return b"\x00"
    raise BadValue(f"expected true or false, got {shown(value)}")


def hex_id(value: Any) -> bytes:
    """Read a trace or span id in hex of either case; "" is an absent id. Lengths are judged where records are."""
    if type(value) is str:
        try:
            raw = bytes.fromhex(value)
        except ValueError:
            raw = b""
        if len(raw) * 2 == len(value):  # fromhex skips blanks
            return delimited(raw)
    raise BadValue(f"expected an id in hex, got {shown(value)}")


def base64_bytes(value: Any) -> bytes:
    """Read bytes in base64: standard or URL-safe alphabet, padded or not."""
    if type(value) is str:
        text = value.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            return delimited(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except (binascii.Error, ValueError):
            pass
    raise BadValue(f"expected bytes in base64, got {shown(value)}")


def _number(value: Any) -> float:
    if type(value) is float or type(value) is int:
        return value
    if type(value) is str:
        if _NUMBER.fullmatch(value):
            return float(value)
        if value in _SPECIAL_DOUBLES:
            return _SPECIAL_DOUBLES[value]
    raise BadValue(f'expected a number, "NaN", "Infinity" or "-Infinity", got {shown(value)}')


def double(value: Any) -> bytes:
    """Read a number, or one of the strings NaN, Infinity, -Infinity."""
    return _DOUBLE(value if type(value) is float else _number(value))


_DOUBLE: Final = Struct("<d").pack


def _integer(value: Any) -> int:
    """Read a whole number from a JSON number or a decimal string; 1.0 and "1e3" are whole numbers too."""
    if type(value) is int:
        return value
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    if type(value) is float or (type(value) is str and _NUMBER.fullmatch(value)):
        number = float(value)
        if number.is_integer():
            return int(number)
        if math.isinf(number):
            return _PAST_64_BITS if number > 0 else -_PAST_64_BITS
    raise BadValue(f"expected a whole number, got {shown(value)}")


def _ranged(low: int, high: int, encode: Callable[[int], bytes]) -> Reader:
    """Make a reader of whole numbers; one outside the range is read as the nearest end of it.

    One number that some sender counted too far must not cost a whole batch: ingest judges records one by one, and
    rejects, for example, a time at the end of the range as future.
    """

    def read(value: Any) -> bytes:
        number = value if type(value) is int else _integer(value)
        return encode(min(max(number, low), high))

    return read


def integer_or_double(integer_tag: bytes, double_tag: bytes, integer: Reader) -> Reader:
    """Make a reader of a value that is an integer, and a double past 64 bits; returns tag and value."""

    def read(value: Any) -> bytes:
        number = value if type(value) is int else _integer(value)
        if INT64_MIN <= number <= INT64_MAX:
            return integer_tag + integer(number)
        return double_tag + _DOUBLE(float(value))

    return read


def flags(read: Reader) -> Reader:
    """Make a reader of 32 bits; a number that is none has no bit set: the end of the range would set every one."""

    def read_bits(value: Any) -> bytes:
        number = _integer(value)
        return read(number if 0 <= number < 1 << 32 else 0)

    return read_bits


def _signed_varint(number: int) -> bytes:
    return varint(number & _U64_MASK)  # negative numbers are ten bytes: two's complement of 64 bits


def _zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def enum(names: Mapping[str, int]) -> Reader:
    """Make a reader of an enum: its number, as the specification says, or its name, as some clients send."""
    by_number = _ranged(-(1 << 31), (1 << 31) - 1, _signed_varint)

    def read(value: Any) -> bytes:
        if type(value) is str and value in names:
            return by_number(names[value])
        try:
            return by_number(value)
        except BadValue:
            raise BadValue(f"expected a number or one of {', '.join(names)}; got {shown(value)}") from None

    return read


int32: Final = _ranged(-(1 << 31), (1 << 31) - 1, _signed_varint)
int64: Final = _ranged(INT64_MIN, INT64_MAX, _signed_varint)
uint32: Final = _ranged(0, (1 << 32) - 1, varint)
uint64: Final = _ranged(0, (1 << 64) - 1, varint)
sint32: Final = _ranged(-(1 << 31), (1 << 31) - 1, _zigzag)
fixed32: Final = _ranged(0, (1 << 32) - 1, Struct("<I").pack)
fixed64: Final = _ranged(0, (1 << 64) - 1, Struct("<Q").pack)
sfixed64: Final = _ranged(INT64_MIN, INT64_MAX, Struct("<q").pack)
