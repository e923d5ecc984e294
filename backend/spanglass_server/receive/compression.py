"""Bodies put together piece by piece, decompressed under a limit, so that a small bomb stays small.

What may be held at any moment is the limit plus what one step can produce: 256 KiB with gzip and deflate, 16 MiB with
zstd.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import cramjam
import zstandard

from spanglass_server.receive.status import Reason, RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

_ZLIB_STEP_BYTES: Final = 256 << 10
_ZSTD_STEP_BYTES: Final = 512  # a block of 4 bytes can become 128 KiB, so a step becomes 16 MiB at most
_ZSTD_WINDOW_BYTES: Final = 8 << 20  # RFC 9659: what a zstd decoder for HTTP must have, and encoders must not exceed

#: gzip members or zstd frames of one body. A body of 64 MiB of empty ones would keep a core busy for 10 s.
_MAX_MEMBERS: Final = 10_000


class Body:
    """A body without compression, and the base of those with one.

    ``feed`` takes the next piece, ``finish`` returns the whole. Both raise ``RequestRefusedError``: TOO_LARGE once more
    than ``limit_bytes`` came out (or in), MALFORMED for what is not a complete compressed stream.
    """

    compressed = False
    thread_bytes = 0  # pieces of compressed ones from this size on belong in a thread

    def __init__(self, limit_bytes: int) -> None:
        self.wire_bytes = 0  # as received
        self.max_wire_bytes = limit_bytes
        self.held_bytes = 0  # after decompression
        self._limit_bytes = limit_bytes
        self._parts: list[bytes] = []

    def feed(self, piece: bytes) -> None:
        """Take the next piece as it came over the wire."""
        self.wire_bytes += len(piece)
        self._keep(piece)

    def finish(self) -> bytes:
        """Return the decompressed body."""
        return b"".join(self._parts)

    def _keep(self, part: bytes) -> None:
        self.held_bytes += len(part)
        if self.held_bytes > self._limit_bytes:
            self._parts.clear()
            raise too_large(self._limit_bytes)
        self._parts.append(part)


class _Compressed(Body):
    """A body of one or more compressed streams, one after the other."""

    compressed = True
    thread_bytes = 4 << 10  # can become 4 MiB of zeros, in 4 ms
    name = ""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        # what can't be compressed grows a little: headers, and a few bytes every 16 KiB or more
        self.max_wire_bytes = limit_bytes + (limit_bytes >> 8) + 1024
        self._inside = False  # whether a stream has begun and not ended
        self._members = 0

    def feed(self, piece: bytes) -> None:
        self.wire_bytes += len(piece)
        if self.wire_bytes > self.max_wire_bytes:
            raise too_large(self._limit_bytes)
        if not piece:  # HTTP servers end a body with an empty piece
            return
        try:
            self._decompress(piece)
        except (zlib.error, zstandard.ZstdError) as error:
            raise self._malformed(str(error)) from None

    def finish(self) -> bytes:
        if self._inside or not self._members:
            raise self._malformed("it ends too early")
        return super().finish()

    def _decompress(self, piece: bytes) -> None:
        raise NotImplementedError

    def _begin(self) -> None:
        self._inside = True
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise self._malformed(f"more than {_MAX_MEMBERS} streams in one body")

    def _malformed(self, why: str) -> RequestRefusedError:
        return RequestRefusedError(Reason.MALFORMED, f"the body is not valid {self.name}: {why}")


class _Gzip(_Compressed):
    """gzip (RFC 1952), members one after the other."""

    name = "gzip"

    def _decompress(self, piece: bytes) -> None:
        while piece:
            if not self._inside:
                self._begin()
                self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
            piece = self._inflate(piece)

    def _inflate(self, piece: bytes) -> bytes:
        """Decompress until the input or the stream ends, and return what is behind the stream's end."""
        while True:
            part = self._stream.decompress(piece, _ZLIB_STEP_BYTES)
            self._keep(part)
            if self._stream.eof:
                self._inside = False
                return self._stream.unused_data
            piece = self._stream.unconsumed_tail
            if not piece and len(part) < _ZLIB_STEP_BYTES:
                return b""


class _Deflate(_Gzip):
    """HTTP's deflate: a zlib stream (RFC 9110, 8.4.1.2). Raw deflate, which some clients send, is told by its head."""

    name = "deflate"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self._head = b""

    def _decompress(self, piece: bytes) -> None:
        if not self._members:
            self._head += piece
            if len(self._head) < 2:  # noqa: PLR2004 - zlib's header
                return
            piece = self._head
            self._begin()
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if _is_zlib(piece) else -zlib.MAX_WBITS)
        if not self._inside or self._inflate(piece):
            raise self._malformed("bytes follow its end")


def _is_zlib(head: bytes) -> bool:
    """Whether two bytes are a zlib header: method 8 in the low bits, and divisible by 31 (RFC 1950, section 2.2)."""
    return head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0  # noqa: PLR2004 - see the docstring


class _Zstd(_Compressed):
    """zstd (RFC 8878), frames one after the other."""

    name = "zstd"
    thread_bytes = 1  # 4 KiB can become 64 MiB of zeros, in 80 ms and more

    def _decompress(self, piece: bytes) -> None:
        for start in range(0, len(piece), _ZSTD_STEP_BYTES):
            rest = piece[start : start + _ZSTD_STEP_BYTES]
            while rest:
                rest = self._step(rest)

    def _step(self, piece: bytes) -> bytes:
        """Decompress one step's input and return what is behind the frame's end."""
        if not self._inside:
            self._begin()
            self._stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
        self._keep(self._stream.decompress(piece))
        if not self._stream.eof:
            return b""
        self._inside = False
        return self._stream.unused_data


class SnappyBlock(Body):
    """Snappy's block format, which has no checksum and tells first how long it becomes (Prometheus remote write)."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.max_wire_bytes = limit_bytes + limit_bytes // 6 + 32  # snappy's own bound for what can't be compressed

    def feed(self, piece: bytes) -> None:
        """See ``Body``: what is held is the piece, and room for what it becomes as soon as that is known."""
        self.wire_bytes += len(piece)
        if self.wire_bytes > self.max_wire_bytes:
            raise too_large(self._limit_bytes)
        self._parts.append(piece)
        length = self._length(b"".join(self._parts) if len(self._parts) < 3 else self._parts[0])  # noqa: PLR2004
        if length > self._limit_bytes:
            self._parts.clear()
            raise too_large(self._limit_bytes)
        self.held_bytes = self.wire_bytes + length

    @staticmethod
    def _length(head: bytes) -> int:
        """The length that a block begins with; 0 while it is not whole."""
        for count, byte in enumerate(head[:5], 1):
            if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                return sum((part & 0x7F) << 7 * place for place, part in enumerate(head[:count]))
        return 0

    def finish(self) -> bytes:
        """See ``Body``."""
        content = super().finish()
        if not content:
            return b""
        if self._length(content) > self._limit_bytes:
            raise too_large(self._limit_bytes)
        try:
            return bytes(cramjam.snappy.decompress_raw(content))
        except cramjam.DecompressionError as error:
            reason = f"the body is no block of snappy: {error}"
            raise RequestRefusedError(Reason.MALFORMED, reason) from None


_BODIES: Final[dict[str, Callable[[int], Body]]] = {
    "": Body,
    "identity": Body,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "zlib": _Deflate,
    "zstd": _Zstd,
}

#: For the header Accept-Encoding of a 415 (RFC 9110, section 15.5.16).
ACCEPTED: Final = "gzip, deflate, zstd, identity"


def new_body(content_encoding: str, limit_bytes: int) -> Body:
    """Begin a body of a Content-Encoding. Raises ``RequestRefusedError`` (UNSUPPORTED) for an unknown one."""
    make = _BODIES.get(content_encoding.strip().lower())
    if make is None:
        raise RequestRefusedError(
            Reason.UNSUPPORTED, f"Content-Encoding {content_encoding[:40]!r} is not supported; send one of: {ACCEPTED}"
        )
    return make(limit_bytes)


def decompress_small(content_encoding: str, wire: bytes, limit_bytes: int) -> bytes:
    """Decompress a body that is there whole, in one step that makes ``limit_bytes`` at most.

    Raises ``RequestRefusedError`` for whatever is not small or not usual; a ``Body`` may take it nevertheless.
    """
    if content_encoding.strip().lower() != "zstd":
        body = new_body(content_encoding, limit_bytes)
        body.feed(wire)
        return body.finish()
    try:
        if zstandard.frame_content_size(wire) > limit_bytes:
            raise too_large(limit_bytes)
        stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        content = stream.decompress(wire, max_output_size=limit_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise RequestRefusedError(Reason.MALFORMED, f"the body is not one small frame of zstd: {error}") from None
    if not content:  # the library believes a head that says so, and looks no further
        raise RequestRefusedError(Reason.MALFORMED, "the body's frame of zstd says that it is empty")
    return content


def too_large(limit_bytes: int) -> RequestRefusedError:
    """Make the error of a body past the limit."""
    return RequestRefusedError(
        Reason.TOO_LARGE,
        f"the body is larger than {limit_bytes} bytes (after decompression); send smaller batches or raise the limit",
    )
