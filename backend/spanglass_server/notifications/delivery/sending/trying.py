"""One attempt: the notification is put into words and handed to the sender of its channel, within a time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_core.alerting.severity import Severity
from spanglass_server.notifications.model import Message, Outcome
from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from spanglass_server.notifications.delivery.sending.senders import Senders
    from spanglass_server.notifications.model import Channel, Notification

_LOG = logging.getLogger(__name__)
_MOST_TITLES = 20


@dataclass(frozen=True, slots=True)
class Trier:
    """Makes attempts. ``write`` puts a notification into words, in a thread."""

    senders: Senders
    write: Callable[[Notification, Channel, str], Awaitable[Message]]
    timeout_s: float

    async def message(self, notification: Notification, channel: Channel, previous: str) -> Message:
        """The message, or a plain one where it can't be written: that is never the reason for silence."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self.write(notification, channel, previous)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody is told
            _LOG.error("a message for channel %r could not be written", channel.name, exc_info=error)
            return plain(notification, previous, f"it could not be written as usual: {in_words(error)}")

    async def send(self, message: Message, channel: Channel) -> Outcome:
        """Send it; whatever happens is the outcome."""
        try:
            async with asyncio.timeout(self.timeout_s), self.senders.using(channel) as sender:
                return await sender.send(message)
        except TimeoutError:
            return Outcome(sent=False, retryable=True, error=f"no answer within {self.timeout_s:g} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            _LOG.error("channel %r failed", channel.name, exc_info=error)
            return Outcome(sent=False, retryable=True, error=f"the channel failed: {in_words(error)}; see the log")


def plain(notification: Notification, previous: str, problem: str) -> Message:
    """A message with titles and nothing else."""
    alerts = notification.alerts
    titles = [alert.title for alert in alerts[:_MOST_TITLES]] or [str(notification.about.get("title", "A message"))]
    if len(alerts) > _MOST_TITLES:
        titles.append(f"and {len(alerts) - _MOST_TITLES} more")
    is_firing = any(alert.status in OPEN for alert in alerts)
    return Message(
        notification=notification,
        status="firing" if is_firing else "resolved" if alerts else "info",
        severity=max((alert.severity for alert in alerts), key=lambda each: each.rank, default=Severity.INFO),
        title=titles[0],
        text="\n".join([*titles, notification.why, problem]),
        html="",
        link="",
        alerts=alerts,
        previous=previous,
        problem=problem,
    )
