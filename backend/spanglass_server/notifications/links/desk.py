"""Links of messages: made for a notification, looked at, and used, which changes something once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN, IllegalChangeError, Status
from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.notifications.desk import NewSilence
from spanglass_server.notifications.links.silencing import matchers_of
from spanglass_server.notifications.links.tokens import LinkAction, read, sign
from spanglass_server.notifications.model import Action, Reason
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.links.tokens import Token
    from spanglass_server.notifications.model import Matcher, Notification, Silence
    from spanglass_server.notifications.ports import NotificationStore

PATH = "/n/"
_HOUR_NS = 3_600 * NS_PER_SECOND
#: How long a link can silence, by what people choose.
DURATIONS_NS: Mapping[str, int] = {"1h": _HOUR_NS, "4h": 4 * _HOUR_NS, "24h": 24 * _HOUR_NS, "3d": 72 * _HOUR_NS}
_LABELS = {LinkAction.ACKNOWLEDGE: "Acknowledge", LinkAction.SILENCE: "Silence"}
_SOMEBODY = "somebody"


class Refusal(StrEnum):
    """Why a link does nothing."""

    UNKNOWN = "unknown"  # not signed by this server, or cut off
    EXPIRED = "expired"
    USED = "used"
    GONE = "gone"  # the notification or its alerts are no longer kept


class LinkError(Exception):
    """A link that does nothing; ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a link would do. ``alerts`` are as they are now; ``concerned`` is of how many it would change something."""

    action: LinkAction
    channel: str
    expires_ns: int
    alerts: tuple[Alert, ...]
    concerned: int
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a link did: how many alerts were acknowledged, or the silence that was made."""

    action: LinkAction
    alerts: tuple[Alert, ...]
    changed: int = 0
    silence: Silence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What links work with. ``labels`` are those of an alert as routing sees them; ``lifetime_ns`` that of a link."""

    key: bytes
    store: NotificationStore
    alerts: Desk
    silence: Callable[[NewSilence, str], Silence]
    labels: Callable[[Alert], Mapping[str, str]]
    base_url: Callable[[], str]
    clock_ns: Callable[[], int]
    lifetime_ns: int


class Links:
    """All links of a server; any thread may call. ``OSError`` where the disk can't be used."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._using = threading.Lock()

    def actions(self, notification: Notification, alerts: Sequence[Alert]) -> Sequence[Action]:
        """The links of a message: none for tests, nor where nothing can be acknowledged or silenced."""
        if notification.reason is Reason.TEST or not any(alert.status in OPEN for alert in alerts):
            return ()
        wanted = [LinkAction.ACKNOWLEDGE] if any(alert.status is Status.ACTIVE for alert in alerts) else []
        if matchers_of(alerts, self._around.labels):
            wanted.append(LinkAction.SILENCE)
        expires_s = (notification.created_ns + self._around.lifetime_ns) // NS_PER_SECOND
        start = f"{self._around.base_url().rstrip('/')}{PATH}"
        return [
            Action(_LABELS[action], start + sign(self._around.key, action, notification.id, expires_s))
            for action in wanted
        ]

    def offer(self, text: str) -> Offer:
        """What a link would do, without doing it; ``LinkError``."""
        token = self._token(text)
        notification = self._notification(token)
        alerts = self._now(notification)
        wanted = (Status.ACTIVE,) if token.action is LinkAction.ACKNOWLEDGE else tuple(OPEN)
        matchers = () if token.action is LinkAction.ACKNOWLEDGE else self._matchers(notification)
        return Offer(
            action=token.action,
            channel=notification.channel,
            expires_ns=token.expires_ns,
            alerts=alerts,
            concerned=sum(alert.status in wanted for alert in alerts),
            matchers=matchers,
        )

    def use(self, text: str, by: str, duration_ns: int) -> Done:
        """Do it, once; ``LinkError``. ``duration_ns`` is how long to silence, one of ``DURATIONS_NS``.

        After an ``OSError`` the link can be used again.
        """
        token = self._token(text)
        notification = self._notification(token)
        with self._using:  # a link is noted as used only when what it does is kept
            if self._around.store.is_link_used(token.nonce):
                raise LinkError(Refusal.USED)
            done = self._do(token, notification, by, duration_ns)
            self._around.store.use_link(token.nonce, self._around.clock_ns())
        return done

    def _do(self, token: Token, notification: Notification, by: str, duration_ns: int) -> Done:
        alerts = self._now(notification)
        name, how = by or _SOMEBODY, f"by a link in a message over the channel {notification.channel}"
        if token.action is LinkAction.ACKNOWLEDGE:
            changed = sum(self._acknowledge(alert, name, how) for alert in alerts)
            return Done(action=token.action, alerts=self._now(notification), changed=changed)
        new = NewSilence(
            matchers=self._matchers(notification), ends_ns=self._around.clock_ns() + duration_ns, comment=how
        )
        return Done(action=token.action, alerts=alerts, silence=self._around.silence(new, name))

    def _token(self, text: str) -> Token:
        token = read(self._around.key, text)
        if token is None:
            raise LinkError(Refusal.UNKNOWN)
        if self._around.clock_ns() >= token.expires_ns:
            raise LinkError(Refusal.EXPIRED)
        return token

    def _notification(self, token: Token) -> Notification:
        try:
            return self._around.store.delivery(token.notification_id).notification
        except KeyError:
            raise LinkError(Refusal.GONE) from None

    def _now(self, notification: Notification) -> tuple[Alert, ...]:
        """The alerts as they are now; those that are no longer kept are left out."""
        found = []
        for alert in notification.alerts:
            try:
                found.append(self._around.alerts.store.alert(alert.id))
            except AlertNotFoundError:
                continue
        if not found:
            raise LinkError(Refusal.GONE)
        return tuple(found)

    def _matchers(self, notification: Notification) -> tuple[Matcher, ...]:
        """What the message said that it would silence: from the alerts as they were then."""
        matchers = matchers_of(notification.alerts, self._around.labels)
        if not matchers:
            raise LinkError(Refusal.GONE)
        return matchers

    def _acknowledge(self, alert: Alert, by: str, how: str) -> bool:
        """Acknowledge one that is active; whether it was."""
        try:
            self._around.alerts.acknowledge(alert.id, by, how)
        except (IllegalChangeError, AlertNotFoundError):  # somebody was faster
            return False
        return True
