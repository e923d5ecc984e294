"""What pages, API and incidents ask of notifications: settings, silences, what was delivered, tests."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.notifications.model import Attempt, Notification, Reason, Silence, State
from spanglass_server.notifications.standing import standing
from spanglass_server.notifications.subjects import subject_of
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.notifications.model import Channel, Delivery, Matcher, Message, Outcome, Subject
    from spanglass_server.notifications.ports import NotificationBook, NotificationStore, Writer
    from spanglass_server.notifications.standing import NotificationsStatus

_IDS = uuid.UUID("3f0c1b52-8d0e-5b4e-a1c7-5a7f3c0d9e21")
_MOST_HIDDEN = 10_000  # open alerts that are compared with a silence
_LAST_NS = 7_289_654_400 * NS_PER_SECOND  # the end of 2200: what can be stored ends in 2262
_TEST_TITLE = "Test message"
_TEST_TEXT = "{by} has sent this message over the channel {channel!r} to see whether it arrives. Nothing has happened."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSilence:
    """A silence as somebody asks for it; times in nanoseconds since 1970. ``starts_ns`` 0: from now on."""

    matchers: tuple[Matcher, ...]
    ends_ns: int
    comment: str
    starts_ns: int = 0


class SilenceError(ValueError):
    """A silence that can't be; ``field`` is the one that is wrong, the text says what to do."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What is to be told that is no alert, such as an incident. The same ``key`` is told once a channel.

    ``thread`` joins messages about one thing: a channel that can updates the first one. Without channels those of
    alerts that name none are told.
    """

    key: str
    thread: str
    title: str
    text: str
    severity: Severity = Severity.INFO
    status: Literal["firing", "resolved", "info"] = "info"
    link: str = ""  # below the server's own address: /incidents/7
    channels: tuple[str, ...] = ()
    why: str = ""
    alerts: tuple[Alert, ...] = ()
    reason: Reason = Reason.INCIDENT
    attachment: str = ""  # the name of a file that mails have with them


def _nobody() -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the desk works with. ``matches``: whether matchers mean these labels; ``explain``: who hears of an alert.

    ``send`` makes one attempt over a channel and waits for it, at most for the time-out of an attempt. ``enqueued`` is
    called when something waits in the outbox.
    """

    book: NotificationBook
    store: NotificationStore
    alerts: AlertStore
    writer: Writer
    matches: Callable[[Sequence[Matcher], Mapping[str, str]], bool]
    explain: Callable[[Subject], Any]
    send: Callable[[Channel, Notification], tuple[Message, Outcome]]
    clock_ns: Callable[[], int]
    new_id: Callable[[], str]
    default_channels: tuple[str, ...] = ()
    problems: Callable[[], Sequence[str]] = tuple
    enqueued: Callable[[], None] = _nobody


class NotificationDesk:
    """The facade; safe for any thread. What reads or changes raises ``OSError`` when the disk can't be used."""

    def __init__(self, around: Around) -> None:
        self.book = around.book
        self.store = around.store
        self._around = around

    def status(self) -> NotificationsStatus:
        """How channels and outbox stand now."""
        around = self._around
        problems = [*around.book.problems(), *around.problems()]
        return standing(around.book.configuration(), around.store, problems, around.clock_ns())

    def alert(self, alert_id: str) -> Alert:
        """One alert; ``AlertNotFoundError``."""
        return self._around.alerts.alert(alert_id)

    def subject(self, alert: Alert) -> Subject:
        """An alert as routing sees it."""
        return subject_of(alert, self._around.default_channels)

    def explain(self, alert_id: str) -> Any:
        """Who hears of an alert, and why; ``AlertNotFoundError``."""
        return self.explain_subject(self.subject(self.alert(alert_id)))

    def explain_subject(self, subject: Subject) -> Any:
        """Who would hear of an alert that need not exist."""
        return self._around.explain(subject)

    def silences(self, *, ended_after_ns: int | None = None) -> Sequence[Silence]:
        """Silences that end after then, by default those that have not ended."""
        return self.store.silences(ended_after_ns=self._around.clock_ns() if ended_after_ns is None else ended_after_ns)

    def silences_of(self, alert: Alert) -> Sequence[Silence]:
        """The silences that hide an alert now."""
        labels, now_ns = self.subject(alert).labels, self._around.clock_ns()
        active = [silence for silence in self.silences() if silence.starts_ns <= now_ns]
        return [silence for silence in active if self._around.matches(silence.matchers, labels)]

    def hidden_by(self, matchers: Sequence[Matcher]) -> Sequence[Alert]:
        """The open alerts that a silence with these matchers would hide, newest first."""
        matches = self._around.matches
        return [alert for alert in self.open_alerts() if matches(matchers, self.subject(alert).labels)]

    def hidden_counts(self, silences: Sequence[Sequence[Matcher]]) -> list[int]:
        """How many open alerts match, for each of several lists of matchers."""
        labels = [self.subject(alert).labels for alert in self.open_alerts()] if silences else []
        return [sum(self._around.matches(matchers, each) for each in labels) for matchers in silences]

    def open_alerts(self) -> Sequence[Alert]:
        """All open alerts, the newest first; of a storm, the newest ten thousand."""
        return self._around.alerts.alerts(AlertFilter(statuses=tuple(OPEN)), limit=_MOST_HIDDEN)

    def silence(self, new: NewSilence, by: str, silence_id: str = "") -> Silence:
        """Silence alerts, or change the silence of that id; ``SilenceError``, ``KeyError``.

        Other matchers make another silence, and end the one before: what was hidden by whom stays to be seen.
        """
        now_ns = self._around.clock_ns()
        before = self._silence(silence_id) if silence_id else None
        self._check(new, by, now_ns)
        made = Silence(
            id=silence_id or self._around.new_id(),
            matchers=new.matchers,
            starts_ns=new.starts_ns or now_ns,
            ends_ns=new.ends_ns,
            created_by=by,
            comment=new.comment.strip(),
            updated_ns=now_ns,
        )
        if before is not None and before.starts_ns <= now_ns:
            if before.ends_ns <= now_ns or before.matchers != made.matchers:
                made = replace(made, id=self._around.new_id(), starts_ns=max(made.starts_ns, now_ns))
                self._end(before, now_ns)
            else:  # it goes on: what it has hidden since its start does not change
                made = replace(made, starts_ns=before.starts_ns)
        self.store.put_silence(made)
        return made

    def expire(self, silence_id: str, by: str) -> Silence:
        """End a silence now; ``KeyError``, ``SilenceError`` for one that has ended."""
        silence, now_ns = self._silence(silence_id), self._around.clock_ns()
        if silence.ends_ns <= now_ns:
            raise SilenceError("id", "the silence has ended: make a new one")
        comment = f"{silence.comment} (ended by {by})" if by else silence.comment
        return self._end(replace(silence, comment=comment), now_ns)

    def _end(self, silence: Silence, now_ns: int) -> Silence:
        if silence.ends_ns <= now_ns:
            return silence
        ended = replace(silence, starts_ns=min(silence.starts_ns, now_ns), ends_ns=now_ns, updated_ns=now_ns)
        self.store.put_silence(ended)
        return ended

    def _silence(self, silence_id: str) -> Silence:
        found = {silence.id: silence for silence in self.store.silences(ended_after_ns=0)}
        return found[silence_id]

    def _check(self, new: NewSilence, by: str, now_ns: int) -> None:
        """Refuse what would hide everything, nothing, or for nobody knows which reason."""
        if not new.matchers:
            raise SilenceError("matchers", 'name at least one label, for example service="shop"')
        if self._around.matches(new.matchers, {}):
            raise SilenceError("matchers", "they match every alert: give a label a value that is not empty")
        if new.ends_ns <= max(new.starts_ns, now_ns):
            raise SilenceError("ends_at", "the end must be later than now and than the start")
        if new.starts_ns < 0 or new.ends_ns > _LAST_NS:
            field = "starts_at" if new.starts_ns < 0 else "ends_at"
            raise SilenceError(field, "the times must be between 1970 and 2200")
        if not by.strip():
            raise SilenceError("created_by", "say who silences")
        if not new.comment.strip():
            raise SilenceError("comment", "say why, so that others know")

    def retry(self, notification_id: str) -> Delivery:
        """Try a delivery anew, now; ``KeyError``, ``ValueError`` for one that was delivered."""
        delivery = self.store.retry(notification_id, self._around.clock_ns())
        self._around.enqueued()
        return delivery

    def announce(self, announcement: Announcement) -> Sequence[str]:
        """Tell of what is no alert; gives the ids of the notifications, one a channel."""
        about = {
            "title": announcement.title,
            "text": announcement.text,
            "severity": str(announcement.severity),
            "status": announcement.status,
            "link": announcement.link,
            **({"attachment": announcement.attachment} if announcement.attachment else {}),
        }
        notifications = [
            Notification(
                id=str(uuid.uuid5(_IDS, f"{announcement.key}\n{channel}")),
                channel=channel,
                reason=announcement.reason,
                thread=announcement.thread,
                created_ns=self._around.clock_ns(),
                alerts=announcement.alerts,
                why=announcement.why,
                about=about,
            )
            for channel in dict.fromkeys(announcement.channels or self._around.default_channels)
        ]
        if notifications:
            self.store.enqueue(notifications)
            self._around.enqueued()
        return [notification.id for notification in notifications]

    def test(self, channel: str | Channel, by: str) -> tuple[Message, Outcome]:
        """Send a test message over a channel, kept or as it would be; ``KeyError``. The delivery log has it."""
        wanted = self._channel(channel)
        started_ns = self._around.clock_ns()
        text = _TEST_TEXT.format(by=by or "Somebody", channel=wanted.name)
        notification = self._made(wanted, {"title": _TEST_TITLE, "text": text, "severity": "info"}, ())
        message, outcome = self._around.send(wanted, notification)
        attempt = Attempt(
            number=1,
            started_ns=started_ns,
            latency_ns=max(self._around.clock_ns() - started_ns, 0),
            outcome=outcome,
        )
        self.store.record(notification, attempt, State.SENT if outcome.sent else State.FAILED)
        return message, outcome

    def preview(self, channel: str | Channel, alert_id: str = "") -> Message:
        """What a channel would be told of an alert, by default the newest one; ``KeyError``, ``AlertNotFoundError``.

        Without any alert it is the test message.
        """
        wanted, alerts = self._channel(channel), self._around.alerts
        found = [alerts.alert(alert_id)] if alert_id else alerts.alerts(AlertFilter(), limit=1)
        about = {} if found else {"title": _TEST_TITLE, "text": "There is no alert yet.", "severity": "info"}
        return self._around.writer.message(self._made(wanted, about, tuple(found)), wanted)

    def _channel(self, channel: str | Channel) -> Channel:
        return self.book.configuration().channels[channel] if isinstance(channel, str) else channel

    def _made(self, channel: Channel, about: Mapping[str, Any], alerts: tuple[Alert, ...]) -> Notification:
        notification_id = self._around.new_id()
        return Notification(
            id=notification_id,
            channel=channel.name,
            reason=Reason.FIRING if alerts else Reason.TEST,
            thread=f"test:{notification_id}",
            created_ns=self._around.clock_ns(),
            alerts=alerts,
            why="" if alerts else "somebody asked for a test message",
            about=about,
        )
