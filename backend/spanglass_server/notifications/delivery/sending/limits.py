"""Limits of channels, and the digest that tells of what came above them.

Periods are those of the clock, multiples of the limit's time since 1970: which one it is, how many messages it has
taken and which digest ends it is then the same after a crash.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_core.units import format_duration
from spanglass_server.notifications.model import Notification, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.model import Channel, Delivery, Limit

_IDS = uuid.UUID("6a1d8d4e-3a52-5c0f-8a67-1f0e2b9c4d13")
_MOST_LINES = 50


def period_ns(limit: Limit, now_ns: int) -> int:
    """When the period of a limit began."""
    return now_ns // limit.per_ns * limit.per_ns


def digest_of(channel: Channel, limit: Limit, now_ns: int) -> Notification:
    """The digest that ends the present period; what it tells of is filled in when it is due."""
    end_ns = period_ns(limit, now_ns) + limit.per_ns
    return Notification(
        id=str(uuid.uuid5(_IDS, f"{channel.name}\n{limit.per_ns}\n{end_ns}")),
        channel=channel.name,
        reason=Reason.DIGEST,
        thread=f"digest:{channel.name}:{end_ns}",
        created_ns=end_ns,
        not_before_ns=end_ns,
        why=f"the channel takes {limit.messages} messages in {format_duration(limit.per_ns)}: these came above",
    )


def filled(digest: Notification, deliveries: Sequence[Delivery]) -> Notification:
    """A digest with what it tells of: alerts as they were last told of, and titles of what is no alert."""
    told = [delivery.notification for delivery in deliveries]
    alerts = _latest(alert for each in told for alert in each.alerts)
    titles = [str(each.about.get("title", "")) for each in told]
    lines = [title for title in titles if title]
    more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    about = {
        "title": f"{len(told)} messages above the limit of {digest.channel}",
        "text": "\n".join([*lines[:_MOST_LINES], *more]),
        "severity": "info",
        "messages": len(told),
    }
    return replace(digest, alerts=tuple(alerts), about=about)


def _latest(alerts: Iterable[Alert]) -> list[Alert]:
    latest: dict[str, Alert] = {}
    for alert in alerts:
        before = latest.get(alert.id)
        if before is None or before.updated_ns <= alert.updated_ns:
            latest[alert.id] = alert
    return list(latest.values())
