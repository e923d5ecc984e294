"""Responses of rules: channels that are called once for each alert that fires, alone and at once."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from spanglass_server.alerting.model import Entry
from spanglass_server.notifications.model import Notification, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import Found
    from spanglass_server.notifications.delivery.deciding import Deciding
    from spanglass_server.notifications.routing.muting import Muting

_IDS = uuid.UUID("c7b0d8f2-9c3b-5a1e-8e55-4d0a6f7b1c20")


def with_responses(fired: Mapping[str, Alert], rules: Mapping[str, Found]) -> list[tuple[Alert, tuple[str, ...]]]:
    """The alerts that fired whose rules name responses, with these."""
    found = [(alert, rules[alert.rule_uid].rule) for alert in fired.values() if alert.rule_uid in rules]
    return [(alert, rule.responses) for alert, rule in found if rule.responses]


def responses(
    called: list[tuple[Alert, tuple[str, ...]]], deciding: Deciding, muting: Muting, now_ns: int
) -> tuple[list[Notification], list[tuple[str, Entry]]]:
    """What is called, and entries about those that a silence holds back. The id makes it once for each alert."""
    notifications, entries = [], []
    for alert, channels in called:
        silences = muting.silences(deciding.subject(alert).labels)
        if silences:
            text = f"{', '.join(channels)} not called: silenced by {silences[0].created_by} ({silences[0].comment})"
            entries.append((alert.id, Entry(now_ns, "response", "server", text)))
            continue
        for channel in channels:
            own = f"{alert.id}\n{channel}"
            notifications.append(
                Notification(
                    id=str(uuid.uuid5(_IDS, own)),
                    channel=channel,
                    reason=Reason.RESPONSE,
                    thread=f"response:{alert.id}:{channel}",
                    created_ns=now_ns,
                    alerts=(alert,),
                    why=f"a response of the rule {alert.rule_name}",
                )
            )
    return notifications, entries
