"""Cutting a large request into small ones, by walking its protobuf framing and nothing else.

Every OTLP request has the same frame: field 1 repeats the resource level, whose field 2 repeats the scope level, whose
field 2 repeats the records (spans, log records, metrics); remote write has one level, series. Everything else is small
and goes with every slice.
Ten megabytes of empty messages unfold to half a gigabyte of objects or arrays; a slice of one can't, and the number of
messages is counted on the way (opentelemetry-proto, trace_service.proto and its siblings).
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor

#: Bodies up to this size are decoded as they are. 500 spans are 0.28 MB.
SLICE_BYTES = 1 << 20

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
#: The fields that repeat in OTLP, from the request down to the records.
OTLP_LEVELS = (1, 2, 2)


def slices(
    body: bytes, request: Descriptor, max_messages: int, levels: tuple[int, ...] = OTLP_LEVELS
) -> Iterator[bytes]:
    """Requests of about ``SLICE_BYTES`` that together hold what ``body``, a message ``request``, holds, in its order.

    ``levels`` are the fields by which it is cut, from the outside in.

    Raises ``ValueError`` where the framing is broken and ``OverflowError`` past ``max_messages`` messages.
    """
    counter = _Counter(max_messages)
    yield from _cut(body, 0, len(body), request, levels, counter)


class _Counter:
    def __init__(self, limit: int) -> None:
        self.left = self.limit = limit

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OverflowError(
                f"the request holds more than {self.limit} messages (setting ingest.max_records): send smaller batches"
            )


def _cut(
    body: bytes, start: int, end: int, message: Descriptor, levels: tuple[int, ...], counter: _Counter
) -> Iterator[bytes]:
    """Slices of the message at ``start:end``, each a whole message of that level (without its own tag)."""
    level, *below = levels
    rest, items = _split(body, start, end, message, level, counter)
    item = _message_in(message, level)
    assert item is not None, "levels hold messages"  # noqa: S101 - for the types
    batch: list[bytes] = []
    size = 0
    produced = False
    for first, last in zip(items[::2], items[1::2], strict=True):
        large = last - first > SLICE_BYTES
        if large and below:
            if batch:
                yield rest + b"".join(batch)
                batch, size = [], 0
            for part in _cut(body, first, last, item, tuple(below), counter):
                yield rest + _framed(level, part)
            produced = True
            continue
        if large:
            _count(body, first, last, item, counter)
        batch.append(_framed(level, body[first:last]))
        size += len(batch[-1])
        if size >= SLICE_BYTES:
            yield rest + b"".join(batch)
            batch, size, produced = [], 0, True
    if batch or not produced:
        yield rest + b"".join(batch)


def _split(
    body: bytes, start: int, end: int, message: Descriptor, repeated: int, counter: _Counter
) -> tuple[bytes, array[int]]:
    """The bytes of all other fields, and where each item of the repeated field begins and ends, one after the other."""
    rest: list[bytes] = []
    items = array("Q")  # 16 bytes an item; a list of pairs takes 130
    for number, wire_type, field_start, value_start, value_end in _fields(body, start, end):
        counter.step()
        if wire_type == _BYTES and number == repeated:
            items.extend((value_start, value_end))
        else:
            rest.append(body[field_start:value_end])
            inner = _message_in(message, number)
            if wire_type == _BYTES and value_end - value_start > SLICE_BYTES and inner:
                _count(body, value_start, value_end, inner, counter)
    return b"".join(rest), items


def _count(body: bytes, start: int, end: int, message: Descriptor, counter: _Counter) -> None:
    """Count what a large message holds that is not cut (a record, a resource), and its large messages in turn.

    Where the framing is broken counting ends: what reads the message refuses it there too.
    """
    waiting = [(start, end, message)]  # no recursion: ten megabytes hold a million levels of lists in lists
    while waiting:
        start, end, message = waiting.pop()
        try:
            for number, wire_type, _, value_start, value_end in _fields(body, start, end):
                counter.step()
                if wire_type == _BYTES and value_end - value_start > SLICE_BYTES:
                    inner = _message_in(message, number)
                    if inner:
                        waiting.append((value_start, value_end, inner))
        except ValueError:
            continue


def _message_in(message: Descriptor, number: int) -> Descriptor | None:
    """The type of the messages in a field; None if unknown, and for texts and bytes, which unfold to nothing."""
    field = message.fields_by_number.get(number)
    return field.message_type if field else None


def _fields(body: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int, int]]:
    """The fields of the message at ``start:end``: number, wire type, and where field and value begin and end."""
    at = start
    while at < end:
        field_start = at
        key, at = _varint(body, at, end)
        wire_type = key & 7
        value_start = at
        if wire_type == _BYTES:
            length, value_start = _varint(body, at, end)
            at = value_start + length
        elif wire_type == _VARINT:
            _, at = _varint(body, at, end)
        elif wire_type in (_FIXED64, _FIXED32):
            at += 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire_type} is not used by OTLP")
        if at > end:
            raise ValueError("a field is longer than what holds it (truncated body)")
        yield key >> 3, wire_type, field_start, value_start, at


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
        shift += 7
        if shift > 63:  # noqa: PLR2004 - ten bytes hold 64 bits
            break
    raise ValueError("a varint is not closed (truncated body)")


def _framed(field: int, message: bytes) -> bytes:
    """A message with its tag and length."""
    return bytes([field << 3 | _BYTES]) + encode_varint(len(message)) + message


def encode_varint(value: int) -> bytes:
    """An unsigned integer as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
