from __future__ import annotations

import asyncio
import gzip
import threading
import tracemalloc
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_server.ingest.budget import ByteBudget, Reservation
from spanglass_server.receive.compression import decompress_small, new_body
from spanglass_server.receive.status import Reason, RequestRefusedError
from spanglass_server.receive.upload import Upload

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20


def raw_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "deflate": raw_deflate,
    "zstd": zstandard.compress,
}


def decompress(encoding: str, wire: bytes, *, limit: int = MIB, piece_bytes: int = 1 << 16) -> bytes:
    body = new_body(encoding, limit)
    for start in range(0, len(wire), piece_bytes):
        body.feed(wire[start : start + piece_bytes])
    body.feed(b"")  # as HTTP servers end a body
    return body.finish()


def refusal(encoding: str, wire: bytes, *, limit: int = MIB) -> Reason:
    with pytest.raises(RequestRefusedError) as caught:
        decompress(encoding, wire, limit=limit)
    return caught.value.reason


@pytest.mark.parametrize("encoding", ["", "identity", " GZIP ", "x-gzip", "deflate", "zlib", "zstd"])
@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=300), repeat=st.integers(1, 3000), piece_bytes=st.integers(1, 100))
def test_content_survives_in_pieces_of_any_size(encoding, content, repeat, piece_bytes):
    """What was compressed comes out, however the network cut it."""
    name = encoding.strip().lower().removeprefix("x-")
    content *= repeat
    wire = COMPRESS.get(name, bytes)(content)
    assert decompress(encoding, wire, piece_bytes=piece_bytes) == content


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_streams_one_after_the_other_are_one_body(encoding):
    """Members of gzip and frames of zstd add up, an empty one and a cut within a head included."""
    wire = b"".join(COMPRESS[encoding](part) for part in (b"one ", b"", b"two " * 10_000))
    assert decompress(encoding, wire, piece_bytes=7) == b"one " + b"two " * 10_000


def test_a_zlib_stream_is_deflate_too():
    """HTTP's deflate is zlib; raw deflate is understood under the same name."""
    assert decompress("deflate", zlib.compress(b"x" * 99)) == decompress("deflate", raw_deflate(b"x" * 99)) == b"x" * 99


@pytest.mark.parametrize("encoding", sorted(COMPRESS))
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=60), data=st.data())
def test_a_truncated_stream_is_refused(encoding, content, data):
    """Any strict prefix is an error: half a body must never pass for a whole one."""
    wire = COMPRESS[encoding](content)
    cut = data.draw(st.integers(0, len(wire) - 1))
    assert refusal(encoding, wire[:cut]) is Reason.MALFORMED


@pytest.mark.parametrize("encoding", sorted(COMPRESS))
@settings(max_examples=100, deadline=None)
@given(content=st.binary(min_size=1, max_size=60), data=st.data())
def test_a_flipped_bit_never_escapes_as_another_error(encoding, content, data):
    """A damaged stream is refused, or decompresses to something; no other exception comes out."""
    wire = bytearray(COMPRESS[encoding](content))
    wire[data.draw(st.integers(0, len(wire) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(RequestRefusedError):
        decompress(encoding, bytes(wire))


@pytest.mark.parametrize("encoding", ["gzip", "zlib", "deflate", "zstd"])
def test_bytes_behind_the_end_are_refused(encoding):
    """What follows the stream is not ignored in silence."""
    assert refusal(encoding, COMPRESS[encoding](b"x") + b"garbage") is Reason.MALFORMED


@pytest.mark.parametrize("encoding", ["", *sorted(COMPRESS)])
def test_the_limit_is_exact(encoding):
    """A body of exactly the limit is taken, one byte more is not."""
    compress = COMPRESS.get(encoding, bytes)
    assert decompress(encoding, compress(b"x" * 5000), limit=5000) == b"x" * 5000
    assert refusal(encoding, compress(b"x" * 5001), limit=5000) is Reason.TOO_LARGE


@pytest.mark.parametrize("encoding", sorted(COMPRESS))
def test_a_bomb_is_stopped_early(encoding):
    """256 MiB of zeros in a few KiB: refused, and never more held than the limit and one step (16 MiB with zstd)."""
    bomb = COMPRESS[encoding](bytes(256 * MIB))
    tracemalloc.start()
    try:
        assert refusal(encoding, bomb, limit=4 * MIB) is Reason.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 40 * MIB
    finally:
        tracemalloc.stop()


def test_what_decompresses_to_nothing_is_bounded_too():
    """Empty gzip members one after the other: the number of streams in a body has a limit."""
    empty = gzip.compress(b"", mtime=0)
    assert decompress("gzip", empty * 10_000) == b""
    assert refusal("gzip", empty * 10_001) is Reason.MALFORMED


def test_compressed_bytes_count_against_the_limit():
    """A stream that never yields anything ends when its compressed bytes pass the limit (and a little more)."""
    skippable_frame = b"\x50\x2a\x4d\x18" + (60_000).to_bytes(4, "little") + bytes(60_000)
    assert refusal("zstd", skippable_frame, limit=10_000) is Reason.TOO_LARGE


def test_a_zstd_window_past_8_mib_is_refused():
    """RFC 9659 caps the window for HTTP; a frame that asks for 128 MiB of memory doesn't get it."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=0)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    wire = stream.compress(b"x" * 100) + stream.flush()
    assert refusal("zstd", wire) is Reason.MALFORMED


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "snappy", "x" * 1000])
def test_an_unknown_encoding_is_unsupported(encoding):
    """The error lists what is understood."""
    with pytest.raises(RequestRefusedError, match="send one of: gzip, deflate, zstd, identity") as caught:
        new_body(encoding, MIB)
    assert caught.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize("encoding", COMPRESS)
def test_small_bodies_are_whole_or_left_to_others(encoding):
    """In one step comes out what was compressed, up to the limit; what is cut or goes past it is no body."""
    wire = COMPRESS[encoding](bytes(1000))

    assert decompress_small(encoding, wire, 1000) == bytes(1000)
    for cut, limit in [(wire, 999), (wire[:-1], 1000), (b"", 1000)]:
        with pytest.raises(RequestRefusedError):
            decompress_small(encoding, cut, limit)


def test_small_zstd_frames_that_are_unusual_are_left_to_others():
    """A size that is not told is no matter; one that is wrong is, also where it says that nothing comes."""
    untold = zstandard.ZstdCompressor(write_content_size=False)
    told = bytearray(zstandard.compress(bytes(200)))
    assert told[5] == 200  # the byte of the content's size

    assert decompress_small("zstd", untold.compress(bytes(200)), 200) == bytes(200)
    assert decompress_small("zstd", bytes(told), 200) == bytes(200)
    refused = [untold.compress(bytes(201)), bytes(told) * 2]
    for size in (0, 199, 201):
        told[5] = size
        refused.append(bytes(told))
    for wire in refused:
        with pytest.raises(RequestRefusedError):
            decompress_small("zstd", wire, 200)


@pytest.mark.parametrize(("encoding", "is_apart"), [("zstd", True), ("gzip", False), ("", False)])
def test_small_bodies_that_may_become_large_leave_the_event_loop(encoding, is_apart):
    """4 KiB of zstd become 64 MiB, so even a small piece of it is decompressed in a thread."""
    body = new_body(encoding, MIB)
    wire = COMPRESS.get(encoding, bytes)(b"x" * 100)
    threads = []
    feed = body.feed

    def noted(piece):
        threads.append(threading.current_thread())
        feed(piece)

    body.feed = noted  # type: ignore[method-assign]

    async def receive():
        return {"type": "http.request", "body": wire}

    async def read():
        return await Upload(receive).read(body, Reservation(ByteBudget(MIB)), timeout_s=20)

    assert asyncio.run(read()) == b"x" * 100
    assert [thread is not threading.main_thread() for thread in threads] == [is_apart]
