"""Bodies that are sent in pieces."""

from __future__ import annotations

import asyncio
import zlib

import pytest

from spanglass_server.access.packing import PIECE_BYTES, in_pieces

LONG = b"".join(number.to_bytes(4, "big") for number in range(PIECE_BYTES // 2))


def pieces_of(parts, *, packs):
    """Return all pieces."""

    async def gathered():
        return [piece async for piece in in_pieces(parts, packs=packs)]

    return asyncio.run(gathered())


@pytest.mark.parametrize("parts", [[], [b""], [b"head", LONG, b"tail"]])
def test_pieces_together_are_the_body(parts):
    """Packed or not, nothing is lost, and no piece is empty, since that would end the body."""
    plain, packed = pieces_of(parts, packs=False), pieces_of(parts, packs=True)
    assert b"".join(plain) == zlib.decompress(b"".join(packed), wbits=31) == b"".join(parts)
    assert all(plain)
    assert all(packed)


def test_a_part_can_be_unpacked_as_soon_as_it_has_come():
    """What a page begins with is there before the rest of it is packed."""
    first, *_ = pieces_of([b"head", LONG], packs=True)
    assert zlib.decompressobj(wbits=31).decompress(first) == b"head"
