"""The history of alerts tells of each delivery that is done, and groups learn what could not be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.alerting.model import Entry
from spanglass_server.notifications.delivery.flushes import group_of
from spanglass_server.notifications.delivery.sending.fallback import chain, fallback_id
from spanglass_server.notifications.messages.words import line
from spanglass_server.notifications.model import Reason, State

if TYPE_CHECKING:
    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.notifications.model import Delivery, Notification
    from spanglass_server.notifications.ports import NotificationBook, NotificationStore

_MOST = 16  # deliveries read at once, each of which may have thousands of alerts
_PIECE = 500  # entries written at once: a tick of alerting waits no longer than that takes, some 10 ms
_MOST_ANSWER = 100  # characters of what a command wrote: the log of its delivery has more
_TOLD = {
    Reason.REPEAT: "told again that it fires",
    Reason.DIGEST: "told in a digest",
    Reason.ESCALATION: "told, as nobody has acknowledged",
    Reason.INCIDENT: "told of the incident",
    Reason.REPORT: "told of the report",
}


@dataclass(frozen=True, slots=True)
class Undelivered:
    """What a channel of a group was not told after all."""

    group: str
    channel: str


class History:
    """Tells of deliveries; a crash between two of its steps may tell of one twice."""

    def __init__(self, store: NotificationStore, alerts: AlertStore, book: NotificationBook) -> None:
        self._store = store
        self._alerts = alerts
        self._book = book

    def next(self) -> list[Delivery]:
        """Tell of the next deliveries; they are to be marked as told (``NotificationStore.told``)."""
        done = list(self._store.untold(_MOST))
        entries = [(alert.id, entry) for each in done for alert, entry in self._entries(each)]
        for start in range(0, len(entries), _PIECE):
            self._alerts.tell(entries[start : start + _PIECE])
        return done

    def _entries(self, delivery: Delivery) -> list[tuple[Alert, Entry]]:
        notification = delivery.notification
        kind = "response" if notification.reason is Reason.RESPONSE else "notified"
        answer = self._answer(delivery) if kind == "response" else ""
        return [
            (alert, Entry(delivery.done_ns, kind, "server", _text(delivery, alert, answer), alert.severity))
            for alert in notification.alerts
        ]

    def _answer(self, delivery: Delivery) -> str:
        attempts = self._store.attempts(delivery.notification.id)
        return line(attempts[-1].outcome.answer, _MOST_ANSWER) if attempts else ""

    def undelivered(self, done: list[Delivery]) -> list[Undelivered]:
        """Which groups are to tell a channel anew: it was given up, and no other was told in its place.

        One that was not configured when its turn came is among them: it is told as soon as it is there again.
        """
        failed = [each.notification for each in done if each.state is State.FAILED]
        lost = [part for each in failed if not self._has_fallback(each) for part in self._parts(self._first(each))]
        wanted = [part for part in lost if part.reason in {Reason.FIRING, Reason.REPEAT}]
        return [Undelivered(group_of(part.thread), self._first(part).channel) for part in wanted]

    def _parts(self, notification: Notification) -> list[Notification]:
        """What a digest was to tell of; anything else is told by itself."""
        if notification.reason is not Reason.DIGEST:
            return [notification]
        return [each.notification for each in self._store.digested(notification.id)]

    def _has_fallback(self, notification: Notification) -> bool:
        channel = self._book.configuration().channels.get(notification.channel)
        if channel is None or not channel.fallback:
            return False
        is_known = self._known(fallback_id(notification, channel.fallback)) is not None
        return is_known or self._store.is_told(self._first(notification), channel.fallback)

    def _first(self, notification: Notification) -> Notification:
        return chain(notification, self._store)[-1]

    def _known(self, notification_id: str) -> Notification | None:
        try:
            return self._store.delivery(notification_id).notification
        except KeyError:
            return None


def _text(delivery: Delivery, alert: Alert, answer: str) -> str:
    notification = delivery.notification
    who = f"{', '.join(notification.addresses)} over {notification.channel}".removeprefix(" over ")
    if notification.reason is Reason.RESPONSE:
        became = f": {answer}" if answer else ""
        return f"{who} was called{became}" if delivery.state is State.SENT else f"{who} failed: {delivery.error}"
    if delivery.state is State.DIGESTED:
        return f"{who}: above the limit of the channel, a digest tells of it"
    if delivery.state is State.FAILED:
        return f"{who} could not be told: {delivery.error}"
    plain = "told that it fires" if alert.status in OPEN else "told that it is over"
    return f"{who} was {_TOLD.get(notification.reason, plain)}"
