"""What became of deliveries, all that waits in one transaction: each sync of the disk takes milliseconds."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from spanglass_server.notifications.ports import Tried

_LOG = logging.getLogger(__name__)
_PAUSE_S = 1.0  # between attempts to write, while the disk fails


class LogBook:
    """Writes by ``log`` what ``add`` is given, in order; for one event loop.

    While the disk fails nothing gets past ``add``, so that no more is sent than can be remembered as sent.
    """

    def __init__(self, log: Callable[[Sequence[Tried]], Awaitable[None]]) -> None:
        self._log = log
        self._waiting: list[tuple[Tried, asyncio.Future[None]]] = []
        self._news = asyncio.Event()
        self.problem = ""

    async def add(self, tried: Tried) -> None:
        """Log one; returns when it is on disk."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((tried, written))
        self._news.set()
        await written

    async def run(self) -> None:
        """Write what waits, again and again."""
        while True:
            await self._news.wait()
            self._news.clear()
            taken, self._waiting = self._waiting, []
            await self._write([tried for tried, _ in taken])
            for _, written in taken:
                if not written.done():
                    written.set_result(None)

    async def _write(self, tried: Sequence[Tried]) -> None:
        while True:
            try:
                await self._log(tried)
            except OSError as error:
                if not self.problem:
                    _LOG.error("the delivery log can't be written: %s; trying again", in_words(error))
                self.problem = f"the delivery log can't be written ({in_words(error)}); nothing is sent until it can"
                await asyncio.sleep(_PAUSE_S)
            else:
                self.problem = ""
                return
