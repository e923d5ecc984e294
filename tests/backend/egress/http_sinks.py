"""Sinks over real sockets for tests: they keep what they are sent, and answer what the test says."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping


@dataclass
class Got:
    """One request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


@dataclass
class Sink:
    """An HTTP server. ``answers`` are given one after the other, the last again and again."""

    port: int = 0
    scheme: str = "http"
    got: list[Got] = field(default_factory=list)
    answers: list[tuple[int, Mapping[str, str], bytes]] = field(default_factory=lambda: [(200, {}, b"ok")])
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """An address of it."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Keep a request, and answer it."""
        self.got.append(Got(request.method, request.path_qs, request.headers, await request.read()))
        if self.handler is not None:
            return await self.handler(request)
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, headers=headers, body=body)


@asynccontextmanager
async def http_sink(
    *answers: tuple[int, Mapping[str, str], bytes], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Sink]:
    """A sink on a port of its own."""
    sink = Sink(scheme="https" if tls else "http")
    if answers:
        sink.answers = list(answers)
    runner = web.ServerRunner(web.Server(sink.answer, handler_cancellation=True), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    sink.port = runner.addresses[0][1]
    try:
        yield sink
    finally:
        await runner.cleanup()
