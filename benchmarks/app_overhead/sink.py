"""A server that takes every request and answers 200 with as little work as possible: where all variants send to.

Prints its port. Counts requests and body bytes by path; GET /counts gives them as JSON.
"""

import asyncio
import json
from collections import Counter

_requests: Counter[str] = Counter()
_bytes: Counter[str] = Counter()


class _Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            length = _length(head)
            if length < 0:  # chunked: Sentry's transport may send so
                end = rest.find(b"0\r\n\r\n")
                if end < 0:
                    return
                length = end + 5
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._answer(head.split(b" ", 2)[1].decode(), length)

    def _answer(self, path: str, length: int) -> None:
        body = json.dumps({"requests": _requests, "bytes": _bytes}).encode() if path == "/counts" else b"{}"
        if path != "/counts":
            _requests[path] += 1
            _bytes[path] += length
        kind = b"application/json" if path == "/counts" or "api" in path else b"application/x-protobuf"
        body = body if kind == b"application/json" else b""
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (kind, len(body), body)
        )


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
        if line.startswith(b"transfer-encoding:"):
            return -1
    return 0


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
