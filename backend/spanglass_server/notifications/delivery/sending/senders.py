"""The senders of channels, each kept as long as its channel stays as it is."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from spanglass_server.notifications.model import Channel
    from spanglass_server.notifications.ports import Sender

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    """A sender, with who uses it now; one that is ``outdated`` is closed by its last user."""

    channel: Channel
    sender: Sender
    users: int = 0
    outdated: bool = False


class Senders:
    """Makes senders by ``make``, and closes those of channels that have changed; for one event loop."""

    def __init__(self, make: Callable[[Channel], Sender]) -> None:
        self._make = make
        self._kept: dict[str, _Kept] = {}

    @asynccontextmanager
    async def using(self, channel: Channel) -> AsyncIterator[Sender]:
        """Lend the sender of a channel as it is configured now. Raises what making it raises."""
        kept = self._kept.get(channel.name)
        if kept is None or kept.channel != channel:
            before, kept = kept, _Kept(channel, self._make(channel))
            self._kept[channel.name] = kept  # at once: closing the one before may take a while
            if before is not None:
                await self._outdate(before)
        kept.users += 1
        try:
            yield kept.sender
        finally:
            kept.users -= 1
            if kept.outdated and not kept.users:
                await _close(kept)

    async def _outdate(self, kept: _Kept) -> None:
        kept.outdated = True
        if not kept.users:
            await _close(kept)

    async def close(self) -> None:
        """Close all of them."""
        for kept in self._kept.values():
            await self._outdate(kept)
        self._kept.clear()


async def _close(kept: _Kept) -> None:
    try:
        await kept.sender.close()
    except Exception as error:  # noqa: BLE001 - what is no longer used may fail to say goodbye
        _LOG.warning("the connections of channel %r could not be closed", kept.channel.name, exc_info=error)
