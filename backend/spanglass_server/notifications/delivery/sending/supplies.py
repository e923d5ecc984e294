"""What delivering works with: ports, settings, clock and chance."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.notifications.delivery.sending.retrying import Retrying
    from spanglass_server.notifications.model import Channel
    from spanglass_server.notifications.ports import NotificationBook, NotificationStore, Sender, Writer
    from spanglass_server.self_metrics.registry import Telemetry


_KNOWN_S = 0.5


class Configured:
    """What is configured, as it was at most half a second ago: the book looks at files, which blocks an event loop."""

    def __init__(self, book: NotificationBook, seconds: Callable[[], float] = time.monotonic) -> None:
        self._book = book
        self._seconds = seconds
        self._read_s = float("-inf")
        self._channels: Mapping[str, Channel] = {}

    def channels(self) -> Mapping[str, Channel]:
        """The channels by name."""
        if self._seconds() - self._read_s >= _KNOWN_S:
            self._channels = self._book.configuration().channels
            self._read_s = self._seconds()
        return self._channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What the courier works with. ``chance`` gives numbers from 0 to 1; ``concurrency`` is for each channel."""

    store: NotificationStore
    book: NotificationBook
    writer: Writer
    make_sender: Callable[[Channel], Sender]
    retrying: Retrying
    telemetry: Telemetry
    clock_ns: Callable[[], int]
    chance: Callable[[], float]
    timeout_s: float = 15.0
    concurrency: int = 4
    grace_s: float = 2.0  # for attempts under way when the server stops
