"""The heartbeat of one server, put together: what counts as alerts that reach people."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from spanglass_server.notifications.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.egress.egress import Egress
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.settings.settings import Settings

_OFF = "alerting.enabled or notifications.enabled is false in the settings"


def open_heartbeat(
    settings: Settings, egress: Egress, node: StorageNode, sinks: Callable[[], Sequence[str]]
) -> Heartbeat | None:
    """The heartbeat, None where the settings name no address.

    It is withheld for any problem of the server but those of ``sinks``: that one channel can't be reached is told over
    the others, and the alerter works.
    """
    if not settings.notifications.heartbeat_url:
        return None
    is_on = settings.alerting.enabled and settings.notifications.enabled

    def problems() -> list[str]:
        others = {*sinks(), *heart.problems()}
        return [_OFF] * (not is_on) + [problem for problem in node.problems if problem not in others]

    heart = Heartbeat(settings.notifications.heartbeat_url, egress, problems, time.time_ns)
    node.also(heart.problems)
    return heart
