"""Which deliveries are under way: each channel has so many places, and none takes those of another."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from spanglass_server.notifications.ports import FOREVER_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.notifications.delivery.sending.handling import Ask, Handler
    from spanglass_server.notifications.delivery.sending.supplies import Supplies
    from spanglass_server.notifications.model import Delivery

_PIECE = 16  # deliveries read at once


class Places:
    """The attempts under way; ``freed`` is called when one has ended."""

    def __init__(self, supplies: Supplies, handler: Handler, ask: Ask, freed: Callable[[], None]) -> None:
        self._supplies = supplies
        self._handler = handler
        self._ask = ask
        self._freed = freed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._busy: Counter[str] = Counter()
        self._empty = -1  # the version of the outbox in which nothing waits

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, and nothing waits, be it for its time."""
        return not self._tasks and self._empty == self._supplies.store.version()

    async def fill(self) -> None:
        """Begin what is due and has a place."""
        while not self.is_idle:
            version = self._supplies.store.version()
            now_ns = self._supplies.clock_ns()
            full = [channel for channel in self._busy if not self._has_place(channel)]
            without = [*full, *(channel for channel in self._paused(now_ns) if channel not in full)]
            due = await self._ask(self._supplies.store.waiting, now_ns, _PIECE, without, list(self._tasks))
            if not [delivery for delivery in due if self._begin(delivery)]:
                if not await self._ask(self._supplies.store.oldest_waiting, FOREVER_NS):
                    self._empty = version
                return

    def _has_place(self, channel: str) -> bool:
        return self._busy[channel] < self._handler.breaker.places(channel, self._supplies.concurrency)

    def _paused(self, now_ns: int) -> list[str]:
        """Channels of which nothing is tried now; those with a fallback may have to be told over that."""
        channels = self._handler.configured.channels()
        paused = self._handler.breaker.paused(now_ns)
        return [name for name in paused if name not in channels or not channels[name].fallback]

    def _begin(self, delivery: Delivery) -> bool:
        channel, notification_id = delivery.notification.channel, delivery.notification.id
        if not self._has_place(channel):
            return False
        self._busy[channel] += 1
        task = self._tasks[notification_id] = asyncio.create_task(self._handler.handle(delivery))

        def done(_: asyncio.Task[None]) -> None:
            self._busy[channel] -= 1
            del self._tasks[notification_id]
            self._freed()

        task.add_done_callback(done)
        return True

    async def end(self) -> None:
        """Give attempts under way a moment, then cut them off: what is not logged comes again after the start."""
        tasks = list(self._tasks.values())
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=self._supplies.grace_s)
            for task in left:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
