"""Answers of receivers in protobuf: what was left out of a request, or why it was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES = 2
_MORE, _BITS = 0x80, 0x7F


def partial_success(body: bytes) -> tuple[int, str]:
    """How many records an ``Export...ServiceResponse`` says were left out, and why; 0 and "" for none."""
    partial = dict(_fields(body)).get(1, b"")
    told = dict(_fields(partial)) if isinstance(partial, bytes) else {}
    count, message = told.get(1, 0), told.get(2, b"")
    return count if isinstance(count, int) else 0, message.decode(errors="replace") if isinstance(
        message, bytes
    ) else ""


def status_message(body: bytes) -> str:
    """The message of a ``google.rpc.Status``; "" without one."""
    message = dict(_fields(body)).get(2, b"")
    return message.decode(errors="replace") if isinstance(message, bytes) else ""


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield fields that are varints or bytes; what is no message ends early."""
    place = 0
    while place < len(body):
        key, place = _varint(body, place)
        value, place = _varint(body, place)
        if key & 7 == _BYTES:
            yield key >> 3, body[place : place + value]
            place += value
        elif key & 7 == 0:
            yield key >> 3, value
        else:
            return


def _varint(body: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while place < len(body):
        byte = body[place]
        place += 1
        number |= (byte & _BITS) << shift
        if not byte & _MORE:
            break
        shift += 7
    return number, place
