"""The same over another channel, when one has given up."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.notifications.model import Channel, Notification

_IDS = uuid.UUID("b1f6a6a0-8b5e-5d0a-9d4b-2a3c5e7f9012")
_LONGEST = 10  # channels in a row


def fallback_id(notification: Notification, fallback: str) -> str:
    """The id of what a fallback is told in the place of a notification."""
    return str(uuid.uuid5(_IDS, f"{notification.id}\n{fallback}"))


def fallback_of(
    notification: Notification,
    channel: Channel,
    failed: Callable[[str], Notification | None],
    error: str,
    now_ns: int,
) -> Notification | None:
    """What the fallback of a channel is to be told; None where there is none, or where it has failed before.

    ``failed`` gives the notification of an id that could not be delivered. Addresses of people are those of their
    channel, so the fallback tells its own.
    """
    if not channel.fallback or channel.fallback in _tried(notification, failed):
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


def _tried(notification: Notification, failed: Callable[[str], Notification | None]) -> set[str]:
    tried = {notification.channel}
    before = notification.fallback_of
    while before and len(tried) < _LONGEST:
        found = failed(before)
        if found is None:
            break
        tried.add(found.channel)
        before = found.fallback_of
    return tried
