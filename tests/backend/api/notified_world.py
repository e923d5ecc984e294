"""Notifications over stores in memory, with settings in a file, and messages of few words."""

from __future__ import annotations

import itertools
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import Desk
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.forms.kinds import Text
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.config.book import Book
from spanglass_server.notifications.config.channels import ChannelKind, channel_section
from spanglass_server.notifications.config.routes import route_sections
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.config.sources import KeptThings, SettingsFile
from spanglass_server.notifications.desk import Around, NotificationDesk
from spanglass_server.notifications.model import Action, Message, Outcome
from spanglass_server.notifications.people.model import Reach
from spanglass_server.notifications.people.sections import people_sections
from spanglass_server.notifications.routing.explaining import Explanation, Situation, explain
from spanglass_server.notifications.routing.matchers import all_hold
from spanglass_server.notifications.store.in_memory import MemoryNotificationStore
from spanglass_server.store.disk import DISK

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass_server.notifications.model import Subject

START_NS = 1_767_600_000 * 10**9  # 2026-01-05T08:00:00Z
SETTINGS = """
monitoring:
  channels: {mail: {to: ops@example.com}}
  notifications:
    route: {channels: mail, routes: [{match: [service="shop"], escalation: db, group_by: [host]}]}
    people: {ann: {mail: ann@example.com, full_name: Ann}, bob: {mail: {}}}
    rotas: {db: {people: [ann, bob], starts: 2026-01-05}}
    escalations: {db: [{tell: mail}, {after: 15m, tell: "rota:db"}]}
"""
#: A kind of channels with one option.
MAIL = ChannelKind("mail", Shape(Reach, {"to": Text()}))


def message(notification: Any, _: Any, previous: str = "") -> Message:
    """Put a notification into few words."""
    return Message(
        notification=notification,
        status="info",
        severity=Severity.INFO,
        title=notification.about.get("title") or notification.alerts[0].title,
        text=previous,
        html="",
        link="/alerts/1",
        actions=(Action("Acknowledge", "/n/1"),),
        chart_png=b"png",
    )


class World:
    """What the routes work with; ``now_ns`` is the clock, ``outcome`` what every attempt comes to."""

    def __init__(self, directory: Path) -> None:
        self.now_ns = START_NS
        self.outcome = Outcome(sent=True, answer="250 ok")
        directory.mkdir(exist_ok=True)
        settings = directory / "settings.yaml"
        settings.write_text(SETTINGS)
        sections = Sections([channel_section([MAIL]), *route_sections(), *people_sections()])
        kept = KeptThings(directory / "kept", DISK, self.clock_ns, sections)
        self.book = Book(sections, SettingsFile(settings, sections), kept)
        ids = (str(uuid.UUID(int=number)) for number in itertools.count(1))
        self.store = MemoryNotificationStore()
        self.alerts: Any = Desk(None, MemoryAlertStore(), None, None, self.clock_ns, lambda: next(ids))  # type: ignore[arg-type]
        self.desk = NotificationDesk(
            Around(
                book=self.book,
                store=self.store,
                alerts=self.alerts.store,
                writer=SimpleNamespace(message=message),
                matches=all_hold,
                explain=self._explain,
                send=lambda channel, notification: (message(notification, channel), self.outcome),
                clock_ns=self.clock_ns,
                new_id=lambda: next(ids),
            )
        )

    def _explain(self, subject: Subject) -> Explanation:
        silences = self.store.silences(ended_after_ns=self.now_ns)
        return explain(
            subject,
            Situation(
                configured=self.book.configuration(), silences=silences, firing=(), groups={}, now_ns=self.now_ns
            ),
        )

    def clock_ns(self) -> int:
        """The time."""
        return self.now_ns
