"""What deciding works with, and what is known between two looks at the alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.notifications.ports import Decision
from spanglass_server.notifications.routing.groups import Group
from spanglass_server.notifications.subjects import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from spanglass_server.alerting.model import Alert, Recorded
    from spanglass_server.alerting.ports import AlertStore, RuleBook
    from spanglass_server.notifications.model import Subject
    from spanglass_server.notifications.ports import Configuration, NotificationBook, NotificationStore
    from spanglass_server.self_metrics.registry import Telemetry

#: Entries after which nobody has to be told anything else; the first two are what delivering writes itself.
_NO_NEWS: Final = frozenset({"notified", "response", "note", "evidence"})
_PIECE = 1000  # alerts read at once: the store's lock is free again after 10 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What deciding works with. ``decided`` is called when notifications wait in the outbox."""

    alerts: AlertStore
    rules: RuleBook
    store: NotificationStore
    book: NotificationBook
    telemetry: Telemetry
    clock_ns: Callable[[], int]
    new_id: Callable[[], str]
    decided: Callable[[], None]
    default_channels: tuple[str, ...] = ()

    def found(self, alert_ids: Sequence[str]) -> dict[str, Alert]:
        """Alerts by id, as they are now, without evidence."""
        found: dict[str, Alert] = {}
        for start in range(0, len(alert_ids), _PIECE):
            found.update(self.alerts.found(alert_ids[start : start + _PIECE]))
        return found

    def subject(self, alert: Alert) -> Subject:
        """An alert as routing sees it."""
        return subject_of(alert, self.default_channels)


@dataclass(slots=True)
class News:
    """What changed of alerts: ``subjects`` are to be put into groups, ``parts`` (fingerprints) taken out of them."""

    subjects: list[Subject] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    fired: dict[str, Alert] = field(default_factory=dict)


class Memory:
    """Groups and escalations as they are kept, and all open alerts; read anew after a failure.

    An alert that is part of another one's problem is not told of while that one is open.
    """

    def __init__(self, deciding: Deciding) -> None:
        self._deciding = deciding
        # no higher than the last one: the file of alerts may have been moved away, and begun anew
        self.cursor = min(deciding.store.cursor(), deciding.alerts.last_cursor())
        if not self.cursor:  # the first start: what is over is over, what is open is told of
            self.cursor = deciding.alerts.last_cursor()
            deciding.store.decide(Decision(cursor=self.cursor))
        self.kept_cursor = self.cursor
        self.groups = {key: Group.of(row) for key, row in deciding.store.groups().items()}
        self.escalations: dict[str, Any] = dict(deciding.store.escalations())
        self.configured: Configuration | None = None
        self.open: dict[str, Subject] = {}
        self._heads: dict[str, str] = {}  # of open parts: the alert that stands for the problem
        for alert in deciding.alerts.all_open():
            self._put(alert)

    def _put(self, alert: Alert) -> Subject:
        subject = self._deciding.subject(alert)
        if subject.ends_ns:
            self.forget(alert.id)
        else:
            self.open[alert.id] = subject
            if alert.part_of:
                self._heads[alert.id] = alert.part_of
        return subject

    def forget(self, alert_id: str) -> None:
        """An alert is over, or was deleted."""
        self.open.pop(alert_id, None)
        self._heads.pop(alert_id, None)

    def is_part(self, alert_id: str) -> bool:
        """Whether another alert, which is open, stands for it."""
        return self._heads.get(alert_id, "") in self.open

    def heads(self) -> Iterator[Subject]:
        """The open alerts that are told of."""
        return (subject for alert_id, subject in self.open.items() if not self.is_part(alert_id))

    def take(self, recorded: Sequence[Recorded]) -> News:
        """Take in what became of alerts; those that were deleted are forgotten."""
        changed = dict.fromkeys(each.alert_id for each in recorded if each.entry.kind not in _NO_NEWS)
        found, news = self._deciding.found(list(changed)), News()
        subjects = {}
        closed = set()
        for alert_id in changed:
            if alert_id in found:
                subjects[alert_id] = self._put(found[alert_id])
            else:
                self.forget(alert_id)
            if alert_id not in self.open:
                closed.add(alert_id)
        for part, head in self._heads.items():  # whose head is over: they speak for themselves from now on
            if head in closed:
                subjects.setdefault(part, self.open[part])
        for alert_id, subject in subjects.items():
            if self.is_part(alert_id):
                news.parts.append(subject.fingerprint)
            else:
                news.subjects.append(subject)
        fired = [each.alert_id for each in recorded if each.entry.kind == "fired"]
        news.fired = {alert_id: found[alert_id] for alert_id in fired if alert_id in found}
        if recorded:
            self.cursor = recorded[-1].cursor
        return news


@dataclass(slots=True)
class Draft:
    """The groups as they will be, and which of them changed."""

    groups: dict[str, Group]
    changed: dict[str, Group | None] = field(default_factory=dict)

    def put(self, changed: Mapping[str, Group | None]) -> None:
        """Put groups; None takes one away."""
        for key, group in changed.items():
            if group is None:
                self.groups.pop(key, None)
            else:
                self.groups[key] = group
        self.changed.update(changed)

    def rows(self) -> dict[str, Any]:
        """What is to be kept."""
        return {key: None if group is None else group.row() for key, group in self.changed.items()}
