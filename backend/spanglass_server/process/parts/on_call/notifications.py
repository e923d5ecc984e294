"""Notifications of one server, put together: what is configured, who decides, who delivers, and the desk over it."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING

from spanglass_server.egress.egress import Egress
from spanglass_server.egress.policy import Policy
from spanglass_server.notifications.channels.context import Context
from spanglass_server.notifications.channels.kinds import channel_kinds, make_sender
from spanglass_server.notifications.channels.made_in_pages import refusals
from spanglass_server.notifications.config.book import Book
from spanglass_server.notifications.config.channels import channel_section
from spanglass_server.notifications.config.checking import check
from spanglass_server.notifications.config.routes import route_sections
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.config.sources import KeptThings, SettingsFile
from spanglass_server.notifications.delivery.deciding import Deciding
from spanglass_server.notifications.delivery.notifier import Notifier
from spanglass_server.notifications.delivery.sending.courier import Courier
from spanglass_server.notifications.delivery.sending.retrying import Retrying
from spanglass_server.notifications.delivery.sending.supplies import Supplies
from spanglass_server.notifications.desk import Around, NotificationDesk
from spanglass_server.notifications.links.address import ServerAddress
from spanglass_server.notifications.links.desk import Around as LinksAround
from spanglass_server.notifications.links.desk import Links
from spanglass_server.notifications.links.key import link_key
from spanglass_server.notifications.messages.writer import MessageWriter, Sources
from spanglass_server.notifications.people.sections import people_sections
from spanglass_server.notifications.people.telling import unreached
from spanglass_server.notifications.ports import FOREVER_NS, NotificationStoreError
from spanglass_server.notifications.routing.explaining import Explanation, Situation, explain
from spanglass_server.notifications.routing.groups import Group
from spanglass_server.notifications.routing.matchers import all_hold
from spanglass_server.notifications.standing import late
from spanglass_server.notifications.store.sqlite import FILE_NAME, SqliteNotificationStore
from spanglass_server.process.parts.checks.heartbeat import open_heartbeat
from spanglass_server.self_metrics import registry as own
from spanglass_server.store.disk import DISK
from spanglass_server.supervision import Supervisor
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.model import Action, Attachment, Channel, Notification, Subject
    from spanglass_server.notifications.ports import Sender
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.supervision import Task

_KEPT = "notifications"
_LOOK_EVERY_S = 0.5
_PURGE_EVERY_S = 600.0
_JOIN_S = 5.0
_OFF = "nobody is told of alerts: notifications.enabled is false in the settings"


def open_sections(settings: Settings) -> Sections:
    """All that can be configured."""
    refused = refusals(Policy.of(settings.egress.allow), settings.notifications.commands)
    return Sections([channel_section(channel_kinds(), refused), *route_sections(), *people_sections()])


def problems_of(settings: Settings) -> list[str]:
    """What is wrong with channels, routes and people of the settings file, without a data directory."""
    if settings.file is None:
        return []
    sections = open_sections(settings)
    return [str(problem) for problem in check(SettingsFile(settings.file, sections).read(), sections).problems]


class Notifications:
    """Who is told of the alerts of one data directory, and ``desk``, which is what API and pages use.

    Runs from the constructor on. Raises ``OSError`` or ``NotificationStoreError`` when the directory can't be used.
    """

    def __init__(
        self, settings: Settings, telemetry: Telemetry, node: StorageNode, alerts: Desk, clock_ns: Callable[[], int]
    ) -> None:
        self._settings = settings.notifications
        self._clock_ns = clock_ns
        self._alerts = alerts
        self._default_channels = settings.alerting.channels
        directory = settings.data.dir.resolve()
        self.address = ServerAddress(settings.server.external_url, settings.server.host, settings.server.port)
        self.egress = Egress(Policy.of(settings.egress.allow), settings.egress.proxy.reveal())
        self.book = self._open_book(settings)
        self.attachment: Callable[[str], Attachment | None] = lambda _: None  # whoever has files says so later
        key = link_key(directory, DISK)
        self._store = SqliteNotificationStore(directory / FILE_NAME)
        self._empty = -1  # the version of the outbox in which nothing waits
        self._writer = MessageWriter(
            Sources(
                alert=alerts.store.alert,
                base_url=self.address.url,
                actions=self._actions,
                clock_ns=clock_ns,
                attachment=self._file,
            )
        )
        self._courier = Courier(self._supplies(telemetry))
        self._notifier = Notifier(self._deciding(telemetry))
        self.desk = NotificationDesk(self._desk())
        self.links = self._links(key)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(self._health)
        self._heart = open_heartbeat(settings, self.egress, node, self._late)
        telemetry.watch(own.NOTIFICATIONS, self._by_state)
        telemetry.watch(own.NOTIFICATION_OLDEST_SECONDS, self._oldest)
        telemetry.watch(own.NOTIFICATION_GROUPS, lambda: self._notifier.groups)
        self._tasks = self._start()

    def _open_book(self, settings: Settings) -> Book:
        sections = open_sections(settings)
        file = SettingsFile(settings.file, sections) if settings.file is not None else None
        return Book(sections, file, KeptThings(settings.data.dir.resolve() / _KEPT, DISK, self._clock_ns, sections))

    def _supplies(self, telemetry: Telemetry) -> Supplies:
        settings = self._settings
        context = Context(
            egress=self.egress, clock_ns=self._clock_ns, base_url=self.address.url, commands=settings.commands
        )

        def sender(channel: Channel) -> Sender:
            return make_sender(channel, context)

        return Supplies(
            store=self._store,
            book=self.book,
            writer=self._writer,
            make_sender=sender,
            retrying=Retrying(for_ns=settings.retry_for_ns, fallback_after_ns=settings.fallback_after_ns),
            telemetry=telemetry,
            clock_ns=self._clock_ns,
            chance=random.random,
            timeout_s=settings.attempt_timeout_ns / NS_PER_SECOND,
            concurrency=settings.concurrency,
        )

    def _deciding(self, telemetry: Telemetry) -> Deciding:
        return Deciding(
            alerts=self._alerts.store,
            rules=self._alerts.book,
            store=self._store,
            book=self.book,
            telemetry=telemetry,
            clock_ns=self._clock_ns,
            new_id=_new_id,
            decided=self._courier.wake,
            default_channels=self._default_channels,
        )

    def _desk(self) -> Around:
        return Around(
            book=self.book,
            store=self._store,
            alerts=self._alerts.store,
            writer=self._writer,
            matches=all_hold,
            explain=self._explain,
            send=self._courier.send,
            enqueued=self._courier.wake,
            clock_ns=self._clock_ns,
            new_id=_new_id,
            default_channels=self._default_channels,
            problems=self._problems,
        )

    def _links(self, key: bytes) -> Links:
        desk = self.desk
        return Links(
            LinksAround(
                key=key,
                store=self._store,
                alerts=self._alerts,
                silence=desk.silence,
                labels=lambda alert: desk.subject(alert).labels,
                base_url=self.address.url,
                clock_ns=self._clock_ns,
                lifetime_ns=self._settings.link_lifetime_ns,
            )
        )

    def _actions(self, notification: Notification, told: Sequence[Alert]) -> Sequence[Action]:
        return self.links.actions(notification, told)

    def _file(self, name: str) -> Attachment | None:
        return self.attachment(name)

    def _explain(self, subject: Subject) -> Explanation:
        now_ns = self._clock_ns()
        situation = Situation(
            configured=self.book.configuration(),
            silences=self._store.silences(ended_after_ns=now_ns),
            firing=[self.desk.subject(alert) for alert in self._alerts.store.all_open()],
            groups={key: Group.of(row) for key, row in self._store.groups().items()},
            now_ns=now_ns,
        )
        return explain(subject, situation)

    def _start(self) -> list[Task]:
        tasks = []
        if self._settings.enabled:
            tasks.append(self._supervisor.start("courier", self._courier.run))
            tasks.append(self._supervisor.every(_LOOK_EVERY_S, "notifier", self._look, self._notifier.has_news))
        if self._heart is not None:
            every_s = max(self._settings.heartbeat_interval_ns / NS_PER_SECOND, 1.0)
            tasks.append(self._supervisor.every(every_s, "heartbeat", self._heart.beat))
        if self._settings.keep_ns:
            tasks.append(self._supervisor.every(_PURGE_EVERY_S, "notification purge", self._purge))
        return tasks

    def _look(self) -> None:
        """Decide until nothing is to be decided at once."""
        while self._notifier.step() and not self._supervisor.stopping.is_set():
            pass

    def _purge(self) -> None:
        self._store.purge(self._clock_ns() - self._settings.keep_ns)

    def _problems(self) -> list[str]:
        off = [] if self._settings.enabled else [_OFF]
        unheard = unreached(self.book.configuration(), self._clock_ns())
        asked = self._notifier.problems()
        return [*off, *unheard, *asked, *self._notifier.faults(), *self._courier.problems(), *self._supervisor.problems]

    def _health(self) -> list[str]:
        return [*self._notifier.faults(), *self._courier.problems(), *self._supervisor.problems, *self._late()]

    def _late(self) -> list[str]:
        version = self._store.version()
        if version == self._empty:
            return []
        try:
            told = late(self._store, self._clock_ns())
            waiting = self._store.oldest_waiting(FOREVER_NS)
        except (OSError, NotificationStoreError) as error:
            return [str(error)]
        self._empty = -1 if waiting else version
        return told

    def _by_state(self) -> Mapping[tuple[str, ...], float]:
        return {(channel, str(state)): number for (channel, state), number in self._store.counts().items()}

    def _oldest(self) -> Mapping[tuple[str, ...], float]:
        now_ns = self._clock_ns()
        oldest = self._store.oldest_waiting(now_ns)
        return {(channel,): max(now_ns - since_ns, 0) / NS_PER_SECOND for channel, since_ns in oldest.items()}

    def close(self) -> None:
        """Stop deciding and delivering, and release the file; what is in the outbox goes on after the start."""
        self._supervisor.stop()
        self._courier.stop()
        for task in self._tasks:
            task.join(_JOIN_S)
        self._writer.close()
        self._store.close()


def _new_id() -> str:
    return str(uuid.uuid4())
