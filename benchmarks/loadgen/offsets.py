"""Where times and ids stand in a protobuf body, so that a sender can move them without encoding it again."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import Enum


class Mark(Enum):
    """A field whose place is noted."""

    TIME = "fixed64 time"
    TRACE_ID = "16-byte id"
    SPAN_ID = "8-byte id"


#: Field numbers of the messages on the way to what is noted (opentelemetry-proto v1.11.0).
Tree = dict[int, "Mark | Tree"]

_POINT: Tree = {2: Mark.TIME, 3: Mark.TIME}
TREES: dict[str, Tree] = {
    "traces": {
        1: {
            2: {
                2: {
                    1: Mark.TRACE_ID,
                    2: Mark.SPAN_ID,
                    4: Mark.SPAN_ID,
                    7: Mark.TIME,
                    8: Mark.TIME,
                    11: {1: Mark.TIME},
                    13: {1: Mark.TRACE_ID, 2: Mark.SPAN_ID},
                }
            }
        }
    },
    "logs": {1: {2: {2: {1: Mark.TIME, 11: Mark.TIME, 9: Mark.TRACE_ID, 10: Mark.SPAN_ID}}}},
    "metrics": {1: {2: {2: {kind: {1: _POINT} for kind in (5, 7, 9, 10)}}}},
}

_FIXED_SIZE = {1: 8, 5: 4}
_VARINT, _DELIMITED = 0, 2


@dataclass
class Offsets:
    """Offsets from the body's start, one array a mark."""

    arrays: dict[Mark, array] = field(default_factory=lambda: {mark: array("q") for mark in Mark})

    def lengths(self) -> tuple[int, ...]:
        """How many places are noted so far, in the order of ``Mark``."""
        return tuple(len(self.arrays[mark]) for mark in Mark)

    def scan(self, body: bytes, tree: Tree, start: int = 0, end: int | None = None) -> None:
        """Note every marked field between two offsets of a well-formed body."""
        position, end = start, len(body) if end is None else end
        while position < end:
            key, position = _varint(body, position)
            number, wire_type = key >> 3, key & 7
            size = _FIXED_SIZE.get(wire_type, 0)
            if wire_type in (_VARINT, _DELIMITED):
                value, position = _varint(body, position)
                size = value if wire_type == _DELIMITED else 0
            found = tree.get(number)
            if isinstance(found, dict):
                self.scan(body, found, position, position + size)
            elif found is not None:
                self.arrays[found].append(position)
            position += size


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
