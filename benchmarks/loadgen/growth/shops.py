"""The prepared spans as if seventeen shops sent them: 204 services instead of twelve, from the same bodies."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from loadgen.offsets import Mark
from loadgen.prepared import Bodies, Writer
from loadgen.traces import TraceMaker, encode_request

if TYPE_CHECKING:
    from pathlib import Path

SHOPS = 17
#: Of whole traces, the first shops fail: there one request in ten has an error, and of all others one in 500, which is
#: well below the limit of the rule that comes with the server (one in twenty).
FAILING_SHOPS = 2
_FAILING, _HEALTHY = 2.5, 0.05
_NAME_KEY = b"\x0a\x0cservice.name\x12"
#: A suffix keeps every length below 128 bytes, so that its varint stays one byte, but for those of the resource and
#: of what it is in, which are written anew.
_SUFFIX_BYTES = 3


class ManyShops(Bodies):
    """Bodies of which each group, whose traces are its own, comes from another shop."""

    def body(self, index: int, shift_ns: int, turn: int = 0) -> bytes:
        """Return a body as ``Bodies`` does, with the shop's number behind the names of its services."""
        return in_shop(super().body(index, shift_ns, turn), self.shop(index))

    def shop(self, index: int) -> int:
        """Which shop a body comes from."""
        return index // self.facts["group"] % SHOPS

    def first_span(self, index: int, turn: int) -> str:
        """Return the id of a body's first span, in hex: a body is stored whole or not at all."""
        first = self.arrays["marks"][index][list(Mark).index(Mark.SPAN_ID)]
        place = int(self.arrays["I8"][first])
        return super().body(index, 0, turn)[place : place + 8].hex()


def whole_traces(folder: Path, count: int, seed: int = 4) -> ManyShops:
    """Bodies of one whole trace each, and each from the next shop: no service is silent while they are sent evenly.

    Of bodies of 500 spans a shop sends four and then none for minutes, which rules about it take for a fault. All but
    a few shops are healthy.
    """
    writer, rng = Writer(folder, "traces"), random.Random(seed)
    maker = TraceMaker(rng)
    for place in range(count):
        maker.failing = _FAILING if place % SHOPS < FAILING_SHOPS else _HEALTHY
        spans = sorted(maker.trace(rng.randint(5, 30)), key=lambda span: (span.service, span.instance))
        writer.add(encode_request(spans, rng)[0], len(spans))
    writer.close({"group": 1})
    return ManyShops("traces", folder)


def in_shop(body: bytes, shop: int) -> bytes:
    """Write a trace request with the shop's number behind the name of each resource's service."""
    parts, at = [], 0
    while at < len(body):
        size, begin = varint(body, at + 1)  # ResourceSpans, the only field of a request
        resource_size, resource = varint(body, begin + 1)
        named = _named(body[resource : resource + resource_size], shop)
        rest = body[resource + resource_size : begin + size]
        inner = b"\x0a" + to_varint(len(named)) + named + rest
        parts.append(b"\x0a" + to_varint(len(inner)) + inner)
        at = begin + size
    return b"".join(parts)


def _named(resource: bytes, shop: int) -> bytes:
    """Lengthen the service's name, the first attribute: the attribute, its value and the text each tell their size."""
    key = resource.index(_NAME_KEY)
    value = key + len(_NAME_KEY)  # the size of the value, then the text's tag and size
    text = value + 3
    end = text + resource[text - 1]
    sizes = [size + _SUFFIX_BYTES for size in (resource[key - 1], resource[value], resource[text - 1])]
    head = resource[: key - 1] + bytes(sizes[:1]) + _NAME_KEY + bytes([sizes[1], resource[value + 1], sizes[2]])
    return head + resource[text:end] + b"-%02d" % shop + resource[end:]


def varint(body: bytes, at: int) -> tuple[int, int]:
    """Read a number of protobuf and where it ends."""
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def to_varint(value: int) -> bytes:
    """Write a number of protobuf."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])
