"""Groups that are due: what their channels are to be told becomes notifications."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_server.notifications.model import Notification
from spanglass_server.notifications.routing.flushing import flush
from spanglass_server.notifications.routing.tree import by_key, called, standing_in

if TYPE_CHECKING:
    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.delivery.deciding import Deciding, Draft, Memory
    from spanglass_server.notifications.model import Route, Subject
    from spanglass_server.notifications.ports import Configuration
    from spanglass_server.notifications.routing.flushing import Telling
    from spanglass_server.notifications.routing.groups import Group
    from spanglass_server.notifications.routing.muting import Muting

#: Groups that one decision looks at: ten thousand at once would keep the outbox locked for a second.
MOST_DUE = 500


def thread_of(group: Group) -> str:
    """What joins messages about a group, from the first alert until all are over and that was told."""
    return f"{group.key}@{group.begun_ns}"


def group_of(thread: str) -> str:
    """The key of the group that a thread is about; that of something else is the key of no group."""
    return thread.rpartition("@")[0]


class Flushes:
    """Looks at groups at one moment."""

    def __init__(self, deciding: Deciding, memory: Memory, configured: Configuration, now_ns: int) -> None:
        self._deciding = deciding
        self._memory = memory
        self._channels = configured.channels
        self._root = configured.route
        self._routes = by_key(configured.route)
        self._now_ns = now_ns

    def route_of(self, group: Group) -> Route:
        """The route of a group, or what counts in its place when it is gone."""
        return self._routes.get(group.route) or standing_in(self._root, group.route)

    def due(self, draft: Draft) -> list[Group]:
        """The groups to be looked at, those that are due for longest first."""
        due = [group for group in draft.groups.values() if self._is_due(group)]
        return sorted(due, key=lambda group: group.due_ns)[:MOST_DUE]

    def _is_due(self, group: Group) -> bool:
        """Whether its time has come; one that waits longer than its route has any wait was set by another clock."""
        if group.due_ns <= self._now_ns:
            return True
        route = self.route_of(group)
        return group.due_ns - self._now_ns > max(route.group_wait_ns, route.group_interval_ns)

    def flush(self, draft: Draft, due: list[Group], muting: Muting) -> list[Notification]:
        """Look at these groups; what is to be told. Alerts are as they are now: deleted ones are gone."""
        members = [alert_id for group in due for alert_id in group.members.values()]
        found = self._deciding.found(list(dict.fromkeys(members)))
        for alert_id in members:
            if alert_id not in found:
                self._memory.forget(alert_id)
        notifications = []
        for group in due:
            begun = self._begun(group)

            def subject(alert_id: str, of: Group = group) -> Subject | None:
                alert = found.get(alert_id)
                if alert is None or (self._memory.is_part(alert_id) and not of.has_told(alert.fingerprint)):
                    return None
                return self._deciding.subject(alert)

            flushed = flush(begun, self.route_of(group), subject, muting, self._tells_ends, self._now_ns)
            draft.put({group.key: flushed.group})
            notifications += [self._notification(begun, telling, found) for telling in flushed.tellings]
        return notifications

    def _begun(self, group: Group) -> Group:
        """The group, in a new thread if nobody knows of an alert of it."""
        is_known = any(told.firing for told in group.told.values())
        return group if is_known else replace(group, begun_ns=self._now_ns)

    def _tells_ends(self, channel: str) -> bool | None:
        return self._channels[channel].send_resolved if channel in self._channels else None

    def _notification(self, group: Group, telling: Telling, found: dict[str, Alert]) -> Notification:
        return Notification(
            id=self._deciding.new_id(),
            channel=telling.channel,
            reason=telling.reason,
            thread=thread_of(group),
            created_ns=self._now_ns,
            alerts=tuple(found[subject.alert_id] for subject in telling.alerts),
            group_labels=group.labels,
            why=f"the {called(group.route)}",
        )
