"""A courier with sinks that do what a test wants, and whatever it needs around it."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

from spanglass_server.notifications.delivery.sending.courier import Courier
from spanglass_server.notifications.delivery.sending.retrying import Retrying
from spanglass_server.notifications.delivery.sending.supplies import Supplies
from spanglass_server.notifications.delivery.sending.trying import plain
from spanglass_server.notifications.model import Channel, Outcome, Route
from spanglass_server.notifications.ports import Configuration
from spanglass_server.notifications.store.in_memory import MemoryNotificationStore
from spanglass_server.self_metrics.registry import Telemetry

SENT = Outcome(sent=True, reference="ref")
BUSY = Outcome(sent=False, retryable=True, error="busy")
REFUSED = Outcome(sent=False, error="refused: correct the address")
_DEADLINE_S = 30


class World:
    """A courier whose sinks follow a script: an outcome for each message, the last one for all that follow.

    An exception is raised, "hang" never answers. ``sent`` are the messages, as (channel, id of the notification).
    """

    def __init__(self, scripts, **channels):
        self.scripts = {name: list(script) for name, script in scripts.items()}
        self.sent, self.messages, self.closed = [], {}, []
        self.now_ns = 1000
        self.store = MemoryNotificationStore()
        self.channels = {name: Channel(name=name, kind="webhook", options=None) for name in self.scripts} | channels
        self.telemetry = Telemetry()
        self.write = lambda notification, channel, previous: plain(notification, previous, "")  # noqa: ARG005

    def configuration(self):
        """Return the channels, and a route."""
        route = Route(key="", group_wait_ns=1, group_interval_ns=1, repeat_interval_ns=1)
        return Configuration(dict(self.channels), route)

    def sender(self, channel):
        """Return the sink of a channel."""

        async def send(message):
            self.sent.append((channel.name, message.notification.id))
            self.messages[message.notification.id] = message
            script = self.scripts[channel.name]
            outcome = script.pop(0) if len(script) > 1 else script[0]
            if outcome == "hang":
                await asyncio.Event().wait()
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        async def close():
            self.closed.append(channel.name)

        return SimpleNamespace(send=send, close=close)

    @contextmanager
    def courier(self, **changes):
        """Run a courier within the block."""
        fields = {
            "store": self.store,
            "book": self,
            "writer": SimpleNamespace(message=self.write),
            "make_sender": self.sender,
            "retrying": Retrying(for_ns=100, fallback_after_ns=50, first_ns=10, most_ns=40, jitter=0),
            "telemetry": self.telemetry,
            "clock_ns": lambda: self.now_ns,
            "chance": lambda: 0.5,
            "grace_s": 0.05,
        }
        courier = Courier(Supplies(**{**fields, **changes}))
        thread = threading.Thread(target=courier.run)
        thread.start()
        try:
            until(lambda: courier._running is not None)
            yield courier
        finally:
            courier.stop()
            thread.join(_DEADLINE_S)
            assert not thread.is_alive()


def until(condition):
    """Wait until something is the case."""
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(0.002)
