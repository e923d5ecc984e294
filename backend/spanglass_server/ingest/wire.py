"""Cutting a large OTLP request into small ones, by walking its protobuf framing and nothing else.

Every export request has the same frame: field 1 repeats the resource level, whose field 2 repeats the scope level,
whose field 2 repeats the records (spans, log records, metrics); everything else is small and goes with every slice.
Ten megabytes of empty messages unfold to half a gigabyte of objects or arrays; a slice of one can't, and the number of
messages is counted on the way (opentelemetry-proto, trace_service.proto and its siblings).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bodies up to this size are decoded as they are. 500 spans are 0.28 MB.
SLICE_BYTES = 1 << 20

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_REPEATED = (1, 2, 2)  # the field that repeats, from the request down to the records


def slices(body: bytes, max_messages: int) -> Iterator[bytes]:
    """Requests of about ``SLICE_BYTES`` that together hold what ``body`` holds, in its order.

    Raises ``ValueError`` where the framing is broken and ``OverflowError`` past ``max_messages`` messages.
    """
    counter = _Counter(max_messages)
    yield from _cut(body, 0, len(body), 0, counter)


class _Counter:
    def __init__(self, limit: int) -> None:
        self.left = self.limit = limit

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OverflowError(
                f"the request holds more than {self.limit} messages (setting ingest.max_records): send smaller batches"
            )


def _cut(body: bytes, start: int, end: int, level: int, counter: _Counter) -> Iterator[bytes]:
    """Slices of the message at ``start:end``, each a whole message of that level (without its own tag)."""
    rest, items = _split(body, start, end, _REPEATED[level], counter)
    batch: list[bytes] = []
    size = 0
    produced = False
    for first, last in items:
        if last - first > SLICE_BYTES and level + 1 < len(_REPEATED):
            if batch:
                yield rest + b"".join(batch)
                batch, size = [], 0
            for part in _cut(body, first, last, level + 1, counter):
                yield rest + _framed(_REPEATED[level], part)
            produced = True
            continue
        batch.append(_framed(_REPEATED[level], body[first:last]))
        size += len(batch[-1])
        if size >= SLICE_BYTES:
            yield rest + b"".join(batch)
            batch, size, produced = [], 0, True
    if batch or not produced:
        yield rest + b"".join(batch)


def _split(body: bytes, start: int, end: int, repeated: int, counter: _Counter) -> tuple[bytes, list[tuple[int, int]]]:
    """The bytes of all other fields, and where each item of the repeated field lies."""
    rest: list[bytes] = []
    items: list[tuple[int, int]] = []
    at = start
    while at < end:
        counter.step()
        field_start = at
        key, at = _varint(body, at, end)
        wire_type = key & 7
        if wire_type == _BYTES:
            length, at = _varint(body, at, end)
            if at + length > end:
                raise ValueError("a message is longer than what holds it (truncated body)")
            if key >> 3 == repeated:
                items.append((at, at + length))
                at += length
                continue
            at += length
        elif wire_type == _VARINT:
            _, at = _varint(body, at, end)
        elif wire_type in (_FIXED64, _FIXED32):
            at += 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire_type} is not used by OTLP")
        if at > end:
            raise ValueError("a field is longer than what holds it (truncated body)")
        rest.append(body[field_start:at])
    return b"".join(rest), items


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
