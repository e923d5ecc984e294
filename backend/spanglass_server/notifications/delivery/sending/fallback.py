"""The same over another channel, when one has given up."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_server.notifications.model import Channel, Notification
    from spanglass_server.notifications.ports import NotificationStore

_IDS = uuid.UUID("b1f6a6a0-8b5e-5d0a-9d4b-2a3c5e7f9012")
_LONGEST = 10  # channels in a row


def fallback_id(notification: Notification, fallback: str) -> str:
    """The id of what a fallback is told in the place of a notification."""
    return str(uuid.uuid5(_IDS, f"{notification.id}\n{fallback}"))


def fallback_of(
    notification: Notification,
    channel: Channel,
    store: NotificationStore,
    error: str,
    now_ns: int,
) -> Notification | None:
    """What the fallback of a channel is to be told; None where there is none, or where it needs no message.

    That is where it has failed before, and where its route tells it of the same anyway. Addresses of people are those
    of their channel, so the fallback tells its own.
    """
    if not channel.fallback:
        return None
    before = chain(notification, store)
    if channel.fallback in {each.channel for each in before} or store.is_told(before[-1], channel.fallback):
        return None
    failed_here = f"{channel.name} could not be told ({error})"
    return replace(
        notification,
        id=fallback_id(notification, channel.fallback),
        channel=channel.fallback,
        created_ns=now_ns,
        not_before_ns=0,
        addresses=(),
        fallback_of=notification.id,
        failed=f"{failed_here}; {notification.failed}".removesuffix("; "),
        why=f"{failed_here}; {notification.why}".removesuffix("; "),
    )


def chain(notification: Notification, store: NotificationStore) -> list[Notification]:
    """The notification, and those in whose place it is told; the one that was decided is the last."""
    found = [notification]
    while found[-1].fallback_of and len(found) < _LONGEST:
        try:
            found.append(store.delivery(found[-1].fallback_of).notification)
        except KeyError:  # purged
            break
    return found
