"""The HTTP server, and the event loop that it runs on."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from types import FrameType

_DATE_EVERY_S = 1.0


def uvloop_run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop where it is installed (everywhere but on Windows)."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


class HttpServer(uvicorn.Server):
    """uvicorn's server, which says when it listens, and where."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._exits = asyncio.Event()

    async def main_loop(self) -> None:
        """Keep the date of answers right, until a signal comes; uvicorn's own looks for one ten times a second."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(_DATE_EVERY_S):
                    await self._exits.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn; the loop may sleep when the signal comes."""
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_soon_threadsafe(self._exits.set)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT. uvicorn's own way raises the signal again at the end, before we have flushed."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """See uvicorn; a port that is taken is an ``OSError``."""
        try:
            await super().startup(sockets)  # type: ignore[arg-type]
        except SystemExit as error:  # uvicorn's way to say that it can't bind
            raise OSError(f"can't listen on {self.config.host}:{self.config.port}: is another server there?") from error
        if self.servers:
            self._on_ready(self.servers[0].sockets[0].getsockname()[1])
