"""The workers of the outbox: what is due is sent, a few messages of each channel at once.

Channels share nothing but the event loop: one that hangs takes up its own places and no others.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from spanglass_server.notifications.delivery.sending.handling import Handler
from spanglass_server.notifications.delivery.sending.log_book import LogBook
from spanglass_server.notifications.delivery.sending.places import Places
from spanglass_server.notifications.delivery.sending.senders import Senders
from spanglass_server.notifications.delivery.sending.trying import Trier
from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.notifications.delivery.sending.supplies import Supplies
    from spanglass_server.notifications.model import Channel, Message, Notification, Outcome

T = TypeVar("T")

_LOOK_EVERY_S = 0.5  # for what is due by its time; ``wake`` tells of what was decided just now
_IDLE_S = 5.0  # while nothing waits
_WRITERS = 2  # threads that put notifications into words


class Courier:
    """Delivers. ``run`` is called by one thread, the rest by any."""

    def __init__(self, supplies: Supplies) -> None:
        self._supplies = supplies
        self._running: _Running | None = None
        self._stopping = False

    def problems(self) -> list[str]:
        """What is wrong now, in words."""
        running = self._running
        return [] if running is None else [each for each in (running.log_book.problem, running.problem) if each]

    def wake(self) -> None:
        """Something may be due."""
        running = self._running
        if running is not None:
            running.wake()

    def stop(self) -> None:
        """Have ``run`` return; attempts under way get a moment to end."""
        self._stopping = True
        self.wake()

    def send(self, channel: Channel, notification: Notification) -> tuple[Message, Outcome]:
        """Make one attempt past the outbox, for a test message, and wait for it. ``OSError`` when nothing runs."""
        running = self._running
        if running is None:
            raise OSError("no message is sent now: the server starts or stops, or notifications.enabled is false")
        return running.once(channel, notification)

    def run(self) -> bool:
        """Deliver until ``stop``; False then, as the step of a supervised thread."""
        asyncio.run(self._run())
        return False

    async def _run(self) -> None:
        supplies = self._supplies
        with ThreadPoolExecutor(_WRITERS, "messages") as writers, ThreadPoolExecutor(1, "outbox") as outbox:
            running = _Running(supplies, writers, outbox)
            logging = asyncio.create_task(running.log_book.run())
            self._running = running
            try:
                while not self._stopping:
                    await running.round()
                    if logging.done():
                        await logging  # a defect: the thread fails, and is started again
            finally:
                self._running = None
                await running.close()
                logging.cancel()


class _Running:
    """The parts of one run, on one event loop."""

    def __init__(self, supplies: Supplies, writers: ThreadPoolExecutor, outbox: ThreadPoolExecutor) -> None:
        self._supplies = supplies
        self._writers = writers
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self.problem = ""
        self._news = asyncio.Event()
        self._senders = Senders(supplies.make_sender)
        self._trier = Trier(self._senders, self._write, supplies.timeout_s)
        self.log_book = LogBook(lambda tried: self._ask(supplies.store.log, tried))
        handler = Handler(supplies, self._trier, self.log_book, self._ask)
        self._places = Places(supplies, handler, self._ask, self._news.set)

    async def _ask(self, work: Callable[..., T], *values: object) -> T:
        return await self._loop.run_in_executor(self._outbox, work, *values)

    async def _write(self, notification: Notification, channel: Channel, previous: str) -> Message:
        write = self._supplies.writer.message
        return await self._loop.run_in_executor(self._writers, write, notification, channel, previous)

    def wake(self) -> None:
        """Begin the next round at once; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    async def round(self) -> None:
        """Begin what is due, and wait for news, but not for long."""
        self._news.clear()
        try:
            await self._places.fill()
            self.problem = ""
        except OSError as error:  # attempts under way go on
            self.problem = f"the outbox can't be read ({in_words(error)}); it is tried again"
        try:
            async with asyncio.timeout(_IDLE_S if self._places.is_idle else _LOOK_EVERY_S):
                await self._news.wait()
        except TimeoutError:
            return

    def once(self, channel: Channel, notification: Notification) -> tuple[Message, Outcome]:
        """Make one attempt that is logged by whoever asks for it; from another thread."""

        async def attempt() -> tuple[Message, Outcome]:
            message = await self._trier.message(notification, channel, "")
            return message, await self._trier.send(message, channel)

        return asyncio.run_coroutine_threadsafe(attempt(), self._loop).result(2 * self._supplies.timeout_s + 1)

    async def close(self) -> None:
        """End attempts and connections."""
        await self._places.end()
        await self._senders.close()
