"""A closed loop over raw sockets: so many connections, each asks again as soon as it was answered.

The client shall cost little itself, so it only looks for the end of each answer.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What a run did: requests, wall-clock seconds, answers that were not 200, sorted latencies in seconds."""

    requests: int
    seconds: float
    failures: int
    latencies_s: list[float]

    def quantile_ms(self, share: float) -> float:
        """Give a quantile of the latencies, in milliseconds."""
        return self.latencies_s[min(int(share * len(self.latencies_s)), len(self.latencies_s) - 1)] * 1e3


def load(port: int, path: str, requests: int, connections: int = 4) -> Load:
    """Send exactly so many requests of ``/path/N`` and wait for every answer."""
    return asyncio.run(_load(port, path.encode(), requests, connections))


async def _load(port: int, path: bytes, requests: int, connections: int) -> Load:
    numbers = iter(range(requests))
    latencies: list[float] = []
    failures = 0

    async def ask() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            began = time.perf_counter()
            writer.write(b"GET /%b/%d HTTP/1.1\r\nhost: shop\r\n\r\n" % (path, number % 100 + 1))
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            if length:
                await reader.readexactly(int(length))
            else:  # chunked
                await reader.readuntil(b"0\r\n\r\n")
            latencies.append(time.perf_counter() - began)
            failures += not head.startswith(b"HTTP/1.1 200")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(connections)))
    return Load(requests, time.perf_counter() - began, failures, sorted(latencies))
